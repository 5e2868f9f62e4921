// board password: hashes a password for BOARD_USERS. It is read without echo, or as the first line
// of standard input. Never as an argument: other users of the machine can see those.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type Command, Option } from 'commander';
import { hashPassword } from '../../config/credential-hashes.ts';
import { type BoardRole, boardRoles } from '../../config/load.ts';
import { whyUnreadable } from '../../untrusted/text-file.ts';
import type { Cli, Input } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { readText } from '../input.ts';
import * as messages from '../messages.ts';
import type { Terminal } from '../output/terminal.ts';
import { isEntryName } from './token.ts';

export interface PasswordFlags {
  readonly name: string;
  readonly role: string;
}

export function addBoardPassword(program: Command, { terminal, input, action }: Cli): void {
  program
    .command('board')
    .description("Users of the server's board.")
    .command('password')
    .description(
      'Hash a password for the board and print the entry for BOARD_USERS. Prompts for it, or reads standard input.',
    )
    .requiredOption('--name <name>', 'login name')
    .addOption(
      new Option('--role <role>', 'what the user may do').choices([...boardRoles]).makeOptionMandatory(),
    )
    .addHelpText('after', '\nExamples:\n  runcloud-domains board password --name ada --role operator')
    .action(action((flags: PasswordFlags) => createBoardPassword(flags, input(), terminal)));
}

const MIN_LENGTH = 12;
const MAX_LENGTH = 1_000;

export async function createBoardPassword(
  { name, role }: PasswordFlags,
  source: Input,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!isEntryName(name) || !boardRoles.includes(role as BoardRole)) {
    terminal.err(isEntryName(name) ? messages.badChoice('--role', boardRoles, role) : messages.BAD_NAME);
    return exitCodes.usage;
  }
  const password = await (source.isTTY ? promptTwice(source, terminal) : readPiped(source, terminal));
  if (password === undefined) return exitCodes.usage;
  terminal.out(`${name}:${role}:${await hashPassword(password)}`);
  const lost = await terminal.written?.();
  if (lost !== undefined) {
    terminal.err(messages.entryNotShown(lost));
    return exitCodes.failed;
  }
  terminal.err(messages.ENTRY_NEXT);
  return exitCodes.ok;
}

const RULE = messages.passwordLength(MIN_LENGTH, MAX_LENGTH);

function isLongEnough(password: string): boolean {
  const { length } = [...password];
  return length >= MIN_LENGTH && length <= MAX_LENGTH;
}

async function readPiped(source: Input, terminal: Terminal): Promise<string | undefined> {
  try {
    const [line = ''] = (await readText(source)).split('\n');
    if (isLongEnough(line)) return line;
    terminal.err(RULE);
  } catch (error) {
    terminal.err(messages.unreadablePassword(whyUnreadable(error)));
  }
  return undefined;
}

/** Until two in a row are equal; undefined after Ctrl-C, and when the input ends. */
async function promptTwice(source: Input, terminal: Terminal): Promise<string | undefined> {
  terminal.err(messages.passwordPrompt(MIN_LENGTH));
  let first: string | undefined;
  for await (const line of linesOf(source)) {
    if (first === line) return line;
    if (first === undefined && isLongEnough(line)) {
      terminal.err(messages.REPEAT_PASSWORD);
      first = line;
      continue;
    }
    terminal.err(first === undefined ? messages.tryAgain(RULE) : messages.PASSWORDS_DIFFER);
    first = undefined;
  }
  terminal.err(messages.NO_PASSWORD);
  return undefined;
}

/** Ends with the input, and at Ctrl-C. `terminal: true` is what turns the echo off. */
async function* linesOf(source: Input): AsyncGenerator<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({
    input: source,
    output: nowhere,
    terminal: source.isTTY === true,
    historySize: 0,
  });
  input.once('SIGINT', () => input.close());
  try {
    yield* input;
  } finally {
    input.close();
  }
}
