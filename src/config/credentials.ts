// RunCloud's current credentials. After a refusal the configuration is read again: corrected ones in `.env` or
// wp-config.php count without a restart.
import { type Config, type RunCloudCredentials, requireCredentials, secretsOf } from './load.ts';

export interface CredentialSource {
  current(): RunCloudCredentials;
  /** All texts that must appear nowhere, of current and former credentials. */
  secrets(): readonly string[];
  /** Reads the configuration again; true if the credentials have changed. */
  refresh(): boolean;
}

/** `reload` may throw: a half-edited file is no reason to stop. Throws ConfigError without credentials. */
export function createCredentialSource(config: Config, reload: () => Config): CredentialSource {
  let current = requireCredentials(config);
  let secrets = secretsOf(config);
  return {
    current: () => current,
    secrets: () => secrets,
    refresh() {
      try {
        const fresh = reload();
        const credentials = requireCredentials(fresh);
        if (JSON.stringify(credentials) === JSON.stringify(current)) return false;
        current = credentials;
        secrets = [...new Set([...secrets, ...secretsOf(fresh)])];
        return true;
      } catch {
        return false;
      }
    },
  };
}
