// board password: hashes a password for BOARD_USERS. It is read without echo, or as the first line of standard input; never as an
// argument, which other users of the machine could see.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { type BoardRole, boardRoles } from '../config.ts';
import { hashPassword } from '../credential-hashes.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';
import { entryNameRule, isEntryName } from './token.ts';

export interface PasswordFlags {
  readonly name: string;
  readonly role: string;
}

/** Where the password comes from: `process.stdin`, or a stand-in. */
export type PasswordSource = NodeJS.ReadableStream & { readonly isTTY?: boolean };

const MIN_LENGTH = 12;
const MAX_LENGTH = 1_000;

export async function createBoardPassword(
  { name, role }: PasswordFlags,
  source: PasswordSource,
  terminal: Terminal,
): Promise<ExitCode> {
  if (!isEntryName(name) || !boardRoles.includes(role as BoardRole)) {
    terminal.err(isEntryName(name) ? `--role must be one of ${boardRoles.join(', ')}` : entryNameRule);
    return exitCodes.usage;
  }
  const password = await ask(source, terminal);
  if (password === undefined) return exitCodes.usage;
  terminal.out(`${name}:${role}:${await hashPassword(password)}`);
  terminal.err(
    "Add the entry to BOARD_USERS, with single quotes around the whole value (BOARD_USERS='…'), then restart the server.",
  );
  return exitCodes.ok;
}

async function ask(source: PasswordSource, terminal: Terminal): Promise<string | undefined> {
  const isTty = source.isTTY === true;
  if (isTty) terminal.err(`Password (at least ${MIN_LENGTH} characters; it is not shown):`);
  const [password = '', again] = await readLines(source, isTty ? 2 : 1, (read) => {
    if (isTty && read === 1) terminal.err('Once more:');
  });
  const length = [...password].length;
  if (length < MIN_LENGTH || length > MAX_LENGTH)
    terminal.err(`the password must have ${MIN_LENGTH} to ${MAX_LENGTH} characters`);
  else if (isTty && again !== password) terminal.err('the two are not the same');
  else return password;
  return undefined;
}

/** Up to `count` lines; fewer where the input ends, or Ctrl-C is pressed. `terminal: true` is what turns the echo off. */
async function readLines(
  source: PasswordSource,
  count: number,
  onLine: (read: number) => void,
): Promise<string[]> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({
    input: source,
    output: nowhere,
    terminal: source.isTTY === true,
    historySize: 0,
  });
  input.once('SIGINT', () => input.close());
  const lines: string[] = [];
  try {
    for await (const line of input) {
      lines.push(line);
      onLine(lines.length);
      if (lines.length === count) break;
    }
  } finally {
    input.close();
  }
  return lines;
}
