// token create: a new token of the HTTP API, and what the configuration holds of it. Nothing is stored.

import { createToken } from '../../config/credential-hashes.ts';
import { type ApiRole, apiRoles } from '../../config/load.ts';
import { type ExitCode, exitCodes, type Terminal } from '../output/terminal.ts';

export interface TokenFlags {
  readonly name: string;
  readonly role: string;
  readonly json?: boolean | undefined;
}

export const isEntryName = (name: string): boolean => /^[\w.-]{1,64}$/.test(name);

export const entryNameRule = '--name takes 1 to 64 letters, digits and _ - .';

export async function createApiToken(
  { name, role, json }: TokenFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!isEntryName(name) || !apiRoles.includes(role as ApiRole)) {
    terminal.err(isEntryName(name) ? `--role must be one of ${apiRoles.join(', ')}` : entryNameRule);
    return exitCodes.usage;
  }
  const { token, hash } = createToken();
  const entry = `${name}:${role}:${hash}`;
  if (json) terminal.out(JSON.stringify({ name, role, token, entry }, null, 2));
  else {
    terminal.out(`token: ${token}`);
    terminal.out(`entry: ${entry}`);
  }
  const lost = await terminal.written?.();
  if (lost !== undefined) {
    terminal.err(
      `The token was not shown, or not all of it: ${lost}. It is stored nowhere: make another one.`,
    );
    return exitCodes.failed;
  }
  if (!json) {
    terminal.err('The token is shown this once: give it to the client, as "Authorization: Bearer <token>".');
    terminal.err('Add the entry to API_TOKENS (commas between entries), then restart the server.');
  }
  return exitCodes.ok;
}
