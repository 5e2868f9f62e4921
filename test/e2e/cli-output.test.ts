// Output that cannot be written, or that nobody reads; and text of strangers that reaches a
// terminal.
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { entryNotShown, notWritten, outputReason, tokenNotShown } from '../../src/cli/messages.ts';
import type { OutputStream } from '../../src/cli/output/streams.ts';
import { type CliResult, runCli } from '../helpers/cli.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

let stage: Stage;
const dir = mkdtempSync(join(tmpdir(), 'cli-output-'));

beforeAll(async () => {
  stage = await createStage({ workers: 0 });
});
afterAll(async () => {
  rmSync(dir, { recursive: true });
  await stage[Symbol.asyncDispose]();
});

/** A stream on a real file descriptor, as a shell would redirect to it. */
function toDevice(path: string): OutputStream & Disposable {
  const fd = openSync(path, 'w');
  return {
    fd,
    on: () => undefined,
    write: () => {
      throw new Error('a device is written by its descriptor');
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

async function run(args: string, device: string, errors?: string): Promise<CliResult> {
  using stdout = toDevice(device);
  using stderr = errors === undefined ? undefined : toDevice(errors);
  return await runCli(args.split(' '), {
    env: stage.env,
    stdout,
    ...(stderr && { stderr }),
    input: 'correct horse battery\n',
  });
}

const TOKEN = 'token create --name shop --role enqueue';
const PASSWORD = 'board password --name ada --role operator';
const onLinux = existsSync('/dev/full') ? describe : describe.skip;

onLinux('a full disk', () => {
  test.each([
    '--version',
    '--help',
    'status --help',
    'status --json',
    'failed',
    'failed --json',
    'pauses --json',
    'audit',
    'callbacks list',
    'doctor --redis-only',
    'doctor --redis-only --json',
    'add full-disk.example.org',
    'add full-disk.example.org --json',
  ])('%s ends with 1, and reports it', async (args) => {
    const { code, err } = await run(args, '/dev/full');
    expect(err.split('\n')).toContain(notWritten('ENOSPC'));
    expect(code).toBe(1);
  });

  test.each([
    [TOKEN, tokenNotShown(outputReason('ENOSPC'))],
    [`${TOKEN} --json`, tokenNotShown(outputReason('ENOSPC'))],
    [PASSWORD, entryNotShown(outputReason('ENOSPC'))],
  ])('%s reports that it was not shown', async (args, sentence) => {
    const { code, err } = await run(args, '/dev/full');
    expect({ code, lines: err.split('\n') }).toEqual({
      code: 1,
      lines: [sentence, notWritten('ENOSPC'), ''],
    });
  });

  test('standard error too: only the exit code is left', async () => {
    expect((await run('status --json', '/dev/full', '/dev/full')).code).toBe(1);
    expect((await run('status --json', '/dev/null', '/dev/full')).code).toBe(0);
    expect((await run('status a_b.example.org', '/dev/null', '/dev/full')).code).toBe(2);
  });
});

describe('/dev/null', () => {
  test.each([
    [TOKEN, tokenNotShown(outputReason('closed'))],
    [PASSWORD, entryNotShown(outputReason('closed'))],
  ])('%s reports that nobody can read it', async (args, sentence) => {
    expect(await run(args, '/dev/null')).toMatchObject({ code: 1, err: `${sentence}\n` });
  });

  test('silences any other command', async () => {
    expect(await run('status --json', '/dev/null')).toMatchObject({ code: 0, err: '' });
  });
});

test('invisible characters that somebody typed are spelled out', async () => {
  const typed = 'a\u202eb\u2066\u200dc';
  const { out, err } = await runCli(['pause', '--site', '7', '--reason', typed], { env: stage.env });
  expect(`${out}${err}`).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  const [pauses, json] = await Promise.all([
    runCli(['pauses'], { env: stage.env }),
    runCli(['pauses', '--json'], { env: stage.env }),
  ]);
  expect(pauses.out).toContain('a\\u202eb\\u2066\\u200dc');
  for (const text of [pauses.out, json.out]) expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
  expect(JSON.parse(json.out)[0].reason).toBe(typed);
  await runCli(['resume', '--site', '7'], { env: stage.env });
});

test.each<readonly [string, (text: string) => Buffer]>([
  ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ['UTF-8 with a byte order mark', (text) => Buffer.from(`\ufeff${text}`)],
  ['lines that end with CR alone', (text) => Buffer.from(text.replaceAll('\n', '\r'))],
])('--file is read in %s', async (name, encode) => {
  const file = join(dir, 'domains.txt');
  writeFileSync(file, encode('one.example.org\ntwo.example.org\n'));
  const { code, out } = await runCli(['add', '--file', file, '--json'], { env: stage.env });
  expect({ name, code }).toEqual({ name, code: 0 });
  const results = JSON.parse(out) as { domain: string }[];
  expect(results.map(({ domain }) => domain)).toEqual(['one.example.org', 'two.example.org']);
});

test('--file that is no text is refused with its line and the fix, and nothing of it is done', async () => {
  const file = join(dir, 'latin.txt');
  writeFileSync(file, Buffer.from('one.example.org\nb\xfccher.example.org\n', 'latin1'));
  expect(await runCli(['add', '--file', file], { env: stage.env })).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/latin\.txt .*UTF-8 in line 2/),
  });
});
