// board password: where it reads the password from, what it refuses, and that nothing of it is shown.
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createBoardPassword, type PasswordSource } from '../../src/cli/commands/board-password.ts';
import { verifyPassword } from '../../src/config/credential-hashes.ts';
import { parseConfig } from '../../src/config/load.ts';

const PASSWORD = 'correct horse battery';

interface Asked {
  readonly code: number;
  readonly out: string[];
  readonly err: string[];
  readonly rawModes: boolean[];
}

async function ask(
  typed: string | Buffer,
  { isTTY = false, name = 'ada', role = 'operator' } = {},
): Promise<Asked> {
  const rawModes: boolean[] = [];
  const source = Object.assign(new PassThrough(), {
    isTTY,
    setRawMode: (mode: boolean) => rawModes.push(mode),
  }) as unknown as PasswordSource & PassThrough;
  source.end(typed);
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    out: (line: string) => out.push(line),
    err: (line: string) => err.push(line),
    isTty: isTTY,
  };
  const code = await createBoardPassword({ name, role }, source, terminal);
  return { code, out, err, rawModes };
}

test('the first line of standard input becomes an entry that BOARD_USERS takes', async () => {
  const { code, out, err } = await ask(`${PASSWORD}\nmore\n`);
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
    const [user] = parseConfig({ BOARD_USERS: (await ask(typed)).out.join('\n') }).config.server.boardUsers;
    expect(await verifyPassword(PASSWORD, user?.hash ?? '')).toBe(true);
  }
});

test('a password that is no text is refused with the fix', async () => {
  const { code, out, err } = await ask(Buffer.from(`${PASSWORD}\xe4\n`, 'latin1'));
  expect({ code, out }).toEqual({ code: 2, out: [] });
  expect(err.join()).toMatch(/cannot be read: it is broken UTF-8 in line 1; write it as UTF-8/);
  expect(err.join()).not.toContain(PASSWORD);
});

test('the end of the input ends the line', async () => {
  expect((await ask(PASSWORD)).code).toBe(0);
});

test('on a terminal it is asked for twice, with the echo off', async () => {
  const { code, out, err, rawModes } = await ask(`${PASSWORD}\r${PASSWORD}\r`, { isTTY: true });
  expect({ code, entries: out.length }).toEqual({ code: 0, entries: 1 });
  expect(err.slice(0, 2)).toEqual([expect.stringMatching(/^Password/), 'Once more:']);
  expect(rawModes).toEqual([true, false]);
  expect([...out, ...err].join()).not.toContain(PASSWORD);
});

test('on a terminal a short one, and two that differ, are asked for anew', async () => {
  const { code, out, err } = await ask(`short\r${PASSWORD}\r${PASSWORD}x\r${PASSWORD}\r${PASSWORD}\r`, {
    isTTY: true,
  });
  expect({ code, entries: out.length }).toEqual({ code: 0, entries: 1 });
  expect(err.slice(1, 5)).toEqual([
    expect.stringMatching(/must have 12 .*another one:$/),
    'Once more:',
    expect.stringMatching(/not the same; the password anew:$/),
    'Once more:',
  ]);
});

test.each([
  ['Ctrl-C', `${PASSWORD}\u0003`, { isTTY: true }, /no password was given/],
  ['one that is not typed once more', `${PASSWORD}\r`, { isTTY: true }, /no password was given/],
  ['eleven characters', 'abcdefghijk\n', {}, /must have 12/],
  ['nothing', '', {}, /must have 12/],
  ['a role of the API', PASSWORD, { role: 'read' }, /--role must be one of viewer, operator/],
  ['a name with a colon', PASSWORD, { name: 'a:b' }, /--name takes/],
])('%s is refused', async (_, typed, given, problem) => {
  const { code, out, err } = await ask(typed, given);
  expect({ code, out }).toEqual({ code: 2, out: [] });
  expect(err.at(-1)).toMatch(problem);
});
