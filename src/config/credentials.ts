// RunCloud's credentials as they are now: where they were refused, the configuration is read again, so that corrected ones in
// `.env` or wp-config.php are picked up without a restart.
import { type Config, type RunCloudCredentials, requireCredentials, secretsOf } from './load.ts';

export interface CredentialSource {
  current(): RunCloudCredentials;
  /** Everything that must not be written, of the present and of former credentials. */
  secrets(): readonly string[];
  /** Reads the configuration again; true where the credentials are others now. */
  refresh(): boolean;
}

/** `reload` may throw: a file that is being edited is no reason to stop. Throws ConfigError without credentials. */
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
