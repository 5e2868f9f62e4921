// board password: where it reads the password from, what it refuses, and that nothing of it is shown.
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createBoardPassword } from '../../src/cli/commands/board-password.ts';
import type { Input } from '../../src/cli/context.ts';
import {
  BAD_NAME,
  badChoice,
  NO_PASSWORD,
  PASSWORDS_DIFFER,
  passwordLength,
  passwordPrompt,
  REPEAT_PASSWORD,
  tryAgain,
} from '../../src/cli/messages.ts';
import { verifyPassword } from '../../src/config/credential-hashes.ts';
import { parseConfig } from '../../src/config/load.ts';

const PASSWORD = 'correct horse battery';
const TOO_SHORT = passwordLength(12, 1000);

interface Entered {
  readonly code: number;
  readonly out: string[];
  readonly err: string[];
  readonly rawModes: boolean[];
}

async function enter(
  typed: string | Buffer,
  { isTTY = false, name = 'ada', role = 'operator' } = {},
): Promise<Entered> {
  const rawModes: boolean[] = [];
  const source = Object.assign(new PassThrough(), {
    isTTY,
    setRawMode: (mode: boolean) => rawModes.push(mode),
  }) as unknown as Input & PassThrough;
  source.end(typed);
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    now: Date.now,
  };
  const code = await createBoardPassword({ name, role }, source, terminal);
  return { code, out, err, rawModes };
}

test('the first line of standard input becomes an entry that BOARD_USERS takes', async () => {
  const { code, out, err } = await enter(`${PASSWORD}\nmore\n`);
  expect(code).toBe(0);
  const [user] = parseConfig({ BOARD_USERS: out.join('\n') }).config.server.boardUsers;
  expect(user).toMatchObject({ name: 'ada', role: 'operator' });
  expect(await verifyPassword(PASSWORD, user?.hash ?? '')).toBe(true);
  expect([...out, ...err].join()).not.toContain(PASSWORD);
});

test('it is the same password in UTF-16, with a byte order mark, and before a CR', async () => {
  for (const typed of [
    Buffer.from(`\ufeff${PASSWORD}\r\n`, 'utf16le'),
    Buffer.from(`\ufeff${PASSWORD}\r\n`),
    Buffer.from(`${PASSWORD}\rmore`),
  ]) {
    const [user] = parseConfig({ BOARD_USERS: (await enter(typed)).out.join('\n') }).config.server.boardUsers;
    expect(await verifyPassword(PASSWORD, user?.hash ?? '')).toBe(true);
  }
});

test('a password that is no text is refused with the fix', async () => {
  const { code, out, err } = await enter(Buffer.from(`${PASSWORD}\xe4\n`, 'latin1'));
  expect({ code, out }).toEqual({ code: 2, out: [] });
  expect(err.join()).toMatch(/cannot be read: it is broken UTF-8 in line 1; write it as UTF-8/);
  expect(err.join()).not.toContain(PASSWORD);
});

test('the end of the input ends the line', async () => {
  expect((await enter(PASSWORD)).code).toBe(0);
});

test('on a terminal it is entered twice, with the echo off', async () => {
  const { code, out, err, rawModes } = await enter(`${PASSWORD}\r${PASSWORD}\r`, { isTTY: true });
  expect({ code, entries: out.length }).toEqual({ code: 0, entries: 1 });
  expect(err.slice(0, 2)).toEqual([passwordPrompt(12), REPEAT_PASSWORD]);
  expect(rawModes).toEqual([true, false]);
  expect([...out, ...err].join()).not.toContain(PASSWORD);
});

test('on a terminal a short one, and two that differ, are entered again', async () => {
  const { code, out, err } = await enter(`short\r${PASSWORD}\r${PASSWORD}x\r${PASSWORD}\r${PASSWORD}\r`, {
    isTTY: true,
  });
  expect({ code, entries: out.length }).toEqual({ code: 0, entries: 1 });
  expect(err.slice(1, 5)).toEqual([tryAgain(TOO_SHORT), REPEAT_PASSWORD, PASSWORDS_DIFFER, REPEAT_PASSWORD]);
});

test.each([
  ['Ctrl-C', `${PASSWORD}\u0003`, { isTTY: true }, NO_PASSWORD],
  ['one that is not typed once more', `${PASSWORD}\r`, { isTTY: true }, NO_PASSWORD],
  ['eleven characters', 'abcdefghijk\n', {}, TOO_SHORT],
  ['nothing', '', {}, TOO_SHORT],
  ['a role of the API', PASSWORD, { role: 'read' }, badChoice('--role', ['viewer', 'operator'], 'read')],
  ['a name with a colon', PASSWORD, { name: 'a:b' }, BAD_NAME],
])('%s is refused', async (_, typed, given, problem) => {
  const { code, out, err } = await enter(typed, given);
  expect({ code, out }).toEqual({ code: 2, out: [] });
  expect(err.at(-1)).toBe(problem);
});
