// token create: a new token of the HTTP API, and its entry for API_TOKENS. Nothing is stored.
import { type Command, Option } from 'commander';

import { createToken } from '../../config/credential-hashes.ts';
import { type ApiRole, apiRoles } from '../../config/load.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { BAD_NAME, badChoice, TOKEN_NEXT, tokenNotShown } from '../messages.ts';
import type { Terminal } from '../output/terminal.ts';

export interface TokenFlags {
  readonly name: string;
  readonly role: string;
  readonly json?: boolean | undefined;
}

export const isEntryName = (name: string): boolean => /^[\w.-]{1,64}$/.test(name);

export function addToken(program: Command, { terminal, action }: Cli): void {
  program
    .command('token')
    .description("Tokens of the server's HTTP API.")
    .command('create')
    .description('Create a token. Prints it once, with the entry for API_TOKENS. Nothing is stored.')
    .requiredOption('--name <name>', 'owner of the token, shown in logs and in the audit log')
    .addOption(new Option('--role <role>', 'what it may do').choices([...apiRoles]).makeOptionMandatory())
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains token create --name shop --role enqueue')
    .action(action((flags: TokenFlags) => createApiToken(flags, terminal)));
}

export async function createApiToken(
  { name, role, json }: TokenFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!isEntryName(name) || !apiRoles.includes(role as ApiRole)) {
    terminal.err(isEntryName(name) ? badChoice('--role', apiRoles, role) : BAD_NAME);
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
    terminal.err(tokenNotShown(lost));
    return exitCodes.failed;
  }
  if (!json) for (const line of TOKEN_NEXT) terminal.err(line);
  return exitCodes.ok;
}
