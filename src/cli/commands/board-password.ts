// board password: hashes a password for BOARD_USERS. It is read without echo, or as the first line of standard input; never as an
// argument, which other users of the machine could see.
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { hashPassword } from '../../config/credential-hashes.ts';
import { type BoardRole, boardRoles } from '../../config/load.ts';
import { decodeText, whyUnreadable } from '../../untrusted/text-file.ts';
import { type ExitCode, exitCodes, type Terminal } from '../output/terminal.ts';
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
  const password = await (source.isTTY ? askTwice(source, terminal) : readPiped(source, terminal));
  if (password === undefined) return exitCodes.usage;
  terminal.out(`${name}:${role}:${await hashPassword(password)}`);
  const lost = await terminal.written?.();
  if (lost !== undefined) {
    terminal.err(
      `The entry was not shown, or not all of it: ${lost}. It is stored nowhere: run the command again.`,
    );
    return exitCodes.failed;
  }
  terminal.err(
    "Add the entry to BOARD_USERS, with single quotes around the whole value (BOARD_USERS='…'), then restart the server.",
  );
  return exitCodes.ok;
}

const RULE = `the password must have ${MIN_LENGTH} to ${MAX_LENGTH} characters`;

function isLongEnough(password: string): boolean {
  const { length } = [...password];
  return length >= MIN_LENGTH && length <= MAX_LENGTH;
}

async function readPiped(source: PasswordSource, terminal: Terminal): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk as string | Buffer));
  try {
    const [line = ''] = decodeText(Buffer.concat(chunks)).split('\n');
    if (isLongEnough(line)) return line;
    terminal.err(RULE);
  } catch (error) {
    terminal.err(`the password on standard input cannot be read: ${whyUnreadable(error)}`);
  }
  return undefined;
}

/** Until two in a row are the same; undefined after Ctrl-C, and where the input ends. */
async function askTwice(source: PasswordSource, terminal: Terminal): Promise<string | undefined> {
  terminal.err(`Password (at least ${MIN_LENGTH} characters; it is not shown):`);
  let first: string | undefined;
  for await (const line of linesOf(source)) {
    if (first === line) return line;
    if (first === undefined && isLongEnough(line)) {
      terminal.err('Once more:');
      first = line;
      continue;
    }
    terminal.err(
      first === undefined ? `${RULE}; another one:` : 'the two are not the same; the password anew:',
    );
    first = undefined;
  }
  terminal.err('no password was given');
  return undefined;
}

/** Ends with the input, and at Ctrl-C. `terminal: true` is what turns the echo off. */
async function* linesOf(source: PasswordSource): AsyncGenerator<string> {
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
