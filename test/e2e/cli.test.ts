// The command line as a person types it: what it prints, on which stream, and with which exit code it ends.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { type CliOptions, type CliResult, runCli, startCli } from '../helpers/cli.ts';
import { testRedis } from '../helpers/redis.ts';
import { inParallel, until } from '../helpers/until.ts';
import { createStage, PRIMARY, type Stage } from '../helpers/worker.ts';

const commands = [
  'add',
  'remove',
  'redeploy',
  'status',
  'failed',
  'retry',
  'pause',
  'resume',
  'pauses',
  'audit',
  'worker',
  'server',
  'doctor',
];
/** A second is promised, and the error names it. Whoever waited a second for each of 100 domains, or for ever, takes longer than this. */
const NEVER_MS = 90_000;
const AWAY = { REDIS_URL: 'redis://127.0.0.1:1', RUNCLOUD_SERVER_ID: '1903', RUNCLOUD_APP_ID: '646' };

const expectNoStack = ({ out, err }: CliResult): void => {
  expect(out + err).not.toMatch(/^\s+at .*[:(]\d+|node:internal|Warning:/m);
};

/** Starts a process for each row before the tests look at them, several at once: most of their time is start-up. */
function runAll<Row>(rows: readonly Row[], run: (row: Row) => Promise<CliResult>): (row: Row) => CliResult {
  const results = new Map<Row, CliResult>();
  beforeAll(async () => {
    await inParallel(rows, 4, async (row) => results.set(row, await run(row)));
  }, 300_000);
  return (row) => {
    const result = results.get(row);
    if (!result) throw new Error('it was not run');
    return result;
  };
}

describe('help', () => {
  const helpOf = runAll(['', ...commands], (command) =>
    runCli([...(command === '' ? [] : [command]), '--help']),
  );

  test.each(['', ...commands])('of "%s" ends with 0', (command) => {
    const { code, out, err } = helpOf(command);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Usage: runcloud-domains/);
  });

  test('of the program tells the exit codes and every command', () => {
    const { out } = helpOf('');
    expect(out).toMatch(
      /Exit codes:[\s\S]*0 +done[\s\S]*1 +.*failed[\s\S]*2 +bad input[\s\S]*3 +Redis is away/,
    );
    for (const command of commands) expect(out).toMatch(new RegExp(`^ +${command} `, 'm'));
  });

  test.each(commands)('of %s has an example', (command) => {
    expect(helpOf(command).out).toMatch(new RegExp(`Examples?:\\n +runcloud-domains ${command}`));
  });

  test('says the version', async () => {
    expect((await runCli(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('a command line that is wrong ends with 2:', () => {
  const cases: readonly (readonly [string, string[], CliOptions, RegExp])[] = [
    ['an unknown command; the nearest is suggested', ['ad', 'a.example.org'], {}, /Did you mean .*add\?/],
    ['an unknown option; the nearest is suggested', ['add', '--jsn'], {}, /--jsn.*\n.*Did you mean --json/],
    ['a www that is none', ['add', 'a.example.org', '--www', 'maybe'], {}, /Allowed choices are auto/],
    ['no domain', ['add'], {}, /no domain was given/],
    [
      'a domain that cannot be one',
      ['add', 'a_b.example.org'],
      {},
      /a_b\.example\.org: refused: .*underscore/,
    ],
    ['a pasted address', ['remove', 'https://a.example.org/x'], {}, /use "a\.example\.org"/],
    ['a server id that is no number', ['add', 'a.example.org', '--server', 'x'], {}, /serverId: must be/],
    ['a file that is not there', ['add', '--file', 'nowhere.txt'], {}, /--file nowhere\.txt cannot be read/],
    [
      'a state that is none; the states are named',
      ['status', '--state', 'held,settled'],
      {},
      /--state must be one of requested, .*; got "settled"/,
    ],
    [
      'no web application',
      ['add', 'a.example.org'],
      { env: { REDIS_URL: AWAY.REDIS_URL } },
      /there is no serverId and appId: set RUNCLOUD_SERVER_ID/,
    ],
    [
      'a worker without credentials; the variable is named, with an example',
      ['worker'],
      { env: AWAY },
      /RUNCLOUD_API_TOKEN is missing .*example: RUNCLOUD_API_TOKEN=/,
    ],
    [
      'a variable that cannot be read; it is named, with an example',
      ['status'],
      { env: { ...AWAY, REDIS_URL: 'localhost' } },
      /REDIS_URL must be redis:\/\/.*got "\*\*\*"; example: REDIS_URL=/,
    ],
  ];

  const resultOf = runAll(cases, ([, args, options]) => runCli(args, { env: AWAY, ...options }));

  test.each(cases.map((row) => [row[0], row] as const))('%s', (_, row) => {
    const result = resultOf(row);
    expect(result.err).toMatch(row[3]);
    expect({ code: result.code, out: result.out }).toEqual({ code: 2, out: '' });
    expectNoStack(result);
  });
});

describe('with Redis away a command ends with 3, soon and in one sentence:', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => `d${i}.example.org`);
  const cases: readonly (readonly [string, string[]])[] = [
    ['add', ['add', 'a.example.org']],
    ['add of 100 domains with --wait', ['add', '--wait', ...hundred]],
    ['remove', ['remove', 'a.example.org']],
    ['redeploy', ['redeploy']],
    ['status', ['status']],
    ['status of a domain', ['status', 'a.example.org']],
    ['failed', ['failed']],
    ['retry --all', ['retry', '--all']],
  ];
  const took = new Map<unknown, number>();
  const resultOf = runAll(cases, async (row) => {
    const startedAt = performance.now();
    const result = await runCli(row[1], { env: AWAY, isRedisAway: true });
    took.set(row, performance.now() - startedAt);
    return result;
  });

  test.each(cases.map((row) => [row[0], row] as const))('%s', (_, row) => {
    const result = resultOf(row);
    expect(took.get(row)).toBeLessThan(NEVER_MS);
    expect({ code: result.code, out: result.out }).toEqual({ code: 3, out: '' });
    expect(result.err).toMatch(/^[^\n]*Redis did not answer within 1000 ms[^\n]*\n$/);
    expectNoStack(result);
  });

  test('add --json tells it as JSON too', async () => {
    const asked = ['add', 'a.example.org', '--json'];
    const { code, out } = await runCli(asked, { env: AWAY, isRedisAway: true });
    expect(code).toBe(3);
    expect(JSON.parse(out)).toMatchObject([
      { domain: 'a.example.org', accepted: false, code: 'redis-unavailable' },
    ]);
  });
});

describe('with a worker', () => {
  let stage: Stage;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    stage = await createStage({ env: { JOB_ATTEMPTS: '2' } });
    env = stage.env;
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });
  const run = (args: string[], input?: string): Promise<CliResult> =>
    runCli(args, { env, ...(input !== undefined && { input }) });

  test('add --wait follows the jobs to their end; what it says on the way is on stderr', async () => {
    const result = await run(['add', 'one.example.org', 'two.example.org', '--site', '12', '--wait']);
    expect(result.code).toBe(0);
    expect(result.out.trim().split('\n')).toEqual([
      expect.stringMatching(/^one\.example\.org: add-domain accepted, job one\.example\.org_1903_646~\d+$/),
      expect.stringMatching(/^two\.example\.org: add-domain accepted, job /),
    ]);
    expect(result.err).toMatch(/^one\.example\.org: one\.example\.org attached; a certificate redeploy/m);
    expect(stage.names()).toEqual(expect.arrayContaining(['one.example.org', 'two.example.org']));
  });

  test('add --json prints the receipts', async () => {
    const { code, out } = await run(['add', 'Bücher.example.org', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual([
      {
        domain: 'xn--bcher-kva.example.org',
        serverId: 1903,
        appId: 646,
        accepted: true,
        jobId: expect.stringMatching(/^xn--bcher-kva/),
        coalesced: false,
      },
    ]);
  });

  test('add takes the good ones among bad ones, and ends with 2', async () => {
    const { code, out, err } = await run(['add', 'good.example.org', 'b_ad.example.org']);
    expect(code).toBe(2);
    expect(out).toMatch(/^good\.example\.org: add-domain accepted/);
    expect(err).toMatch(/^b_ad\.example\.org: refused: .*underscore/);
  });

  test('--file reads one domain per line, without comments and empty lines; - is standard input', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-file-'));
    try {
      const file = join(folder, 'customers.txt');
      writeFileSync(file, '# customers\r\n  f1.example.org  \r\n\r\nf2.example.org\n#f3.example.org\n');
      const fromFile = await run(['add', '--file', file, '--wait']);
      expect(fromFile.out.match(/^[^:]+/gm)).toEqual(['f1.example.org', 'f2.example.org']);
      expect(fromFile.code).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const fromInput = await run(
      ['remove', '--file', '-', '--wait'],
      'f1.example.org\n# not this\nf2.example.org',
    );
    expect(fromInput.code).toBe(0);
    expect(fromInput.out.match(/^[^:]+/gm)).toEqual(['f1.example.org', 'f2.example.org']);
    expect(stage.names()).not.toContain('f1.example.org');
  });

  test('--file with a file of something else repeats neither its values nor its lines at length', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-file-'));
    const file = join(folder, '.env');
    const lines = ['DB_PASSWORD=hunter2', 'export KEY="hunter2@example.org"', 'x'.repeat(3_000_000)];
    writeFileSync(file, lines.join('\n'));
    try {
      for (const json of [[], ['--json']]) {
        const { code, out, err } = await run(['add', '--file', file, ...json]);
        expect(code).toBe(2);
        expect(`${out}${err}`).toContain('DB_PASSWORD=***');
        expect(`${out}${err}`).not.toContain('hunter2');
        expect(`${out}${err}`.length).toBeLessThan(2_000);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('remove --wait ends with 1 where the job fails, and says why', async () => {
    const { code, err } = await run(['remove', PRIMARY, '--wait']);
    expect(code).toBe(1);
    expect(err).toMatch(/failed: primary-domain: .*never removed/);
  });

  test('redeploy --wait has the certificate issued anew', async () => {
    await stage.idle();
    const before = stage.calls('redeploy-ssl').length;
    const { code, out, err } = await run(['redeploy', '--wait']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^all domains of web application 646: redeploy-ssl accepted, job redeploy_1903_646~\d+\n$/,
    );
    expect(err).toMatch(/was ordered at/);
    expect(stage.calls('redeploy-ssl').length).toBeGreaterThan(before);
  });

  test('status shows the queue and its domains, as a table and as JSON', async () => {
    await run(['add', 'seen.example.org', '--wait']);
    const text = await run(['status']);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/^jobs: \d+ waiting, \d+ at work, \d+ delayed, \d+ failed, \d+ completed$/m);
    expect(text.out).toMatch(/^domains: .*\d+ attached/m);
    expect(text.out).toMatch(/^DOMAIN +WANTED +STATE +NEXT +LAST OUTCOME$/m);
    expect(text.out).toMatch(/^seen\.example\.org +attached +attached +/m);
    const { code, out } = await run(['status', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      counts: { active: expect.any(Number) },
      stages: { attached: expect.any(Number) },
      domains: expect.arrayContaining([expect.objectContaining({ domain: 'seen.example.org' })]),
    });
  });

  test('status of one domain tells in sentences what is wanted, what happened and what comes next', async () => {
    await run(['add', 'told.example.org', '--wait']);
    const text = await run(['status', 'Told.example.org.']);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(
      /^told\.example\.org: attached since .* ago\)\.\nIt shall be attached \(web application 646\); asked for .* ago by /,
    );
    expect(text.out).toMatch(/^Last outcome: told\.example\.org attached/m);
    expect(text.out).toMatch(/^ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC +requested +asked for by cli:/m);
    const { out } = await run(['status', 'told.example.org', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      state: 'attached',
      request: 'settled',
      desired: { presence: 'present' },
      code: null,
      history: [{ state: 'attached' }, { state: 'attaching' }, { state: 'requested' }],
    });
  });

  test('status --state shows the domains that stand there, and no others', async () => {
    await run(['add', 'stays.example.org', 'goes.example.org', '--wait']);
    await run(['remove', 'goes.example.org', '--wait']);
    const removed = await run(['status', '--state', 'held,removed']);
    expect(removed.code).toBe(0);
    expect(removed.out).toMatch(/^goes\.example\.org +removed +removed/m);
    expect(removed.out).not.toMatch(/^stays\.example\.org/m);
  });

  test('status of a domain that nobody asked for ends with 1, of one that cannot be with 2', async () => {
    expect(await run(['status', 'never.example.org'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/never asked for/),
    });
    const bad = await run(['status', 'a_b.example.org']);
    expect(bad).toMatchObject({ code: 2, err: expect.stringMatching(/underscore.*\[invalid-domain\]/) });
    expectNoStack(bad);
  });

  test('what it prints holds no secret of the configuration, and nothing that a terminal obeys', async () => {
    const secret = stage.env.RUNCLOUD_API_TOKEN ?? '';
    expect(secret.length).toBeGreaterThan(8);
    await run(['add', 'typed.example.org', '--wait', '--site', `a ${secret} \u001b[31m`]);
    const printed = [
      await run(['status', 'typed.example.org']),
      await run(['status', 'typed.example.org', '--json']),
    ].map(({ out }) => out);
    for (const out of printed) {
      expect(out).toContain('***');
      expect(out).not.toContain(secret);
      expect(out).not.toContain('\u001b');
    }
  });

  test('failed lists what has failed and when it is tried again by itself, retry does it at once', async () => {
    const fault = {
      kind: 'status',
      status: 422,
      body: { message: 'The domain name is not allowed.' },
      domain: 'sad.example.org',
    } as const;
    stage.simulator.addFault(fault);
    const added = await run(['add', 'sad.example.org', '--wait']);
    expect(added.code).toBe(1);
    const jobId = /job (\S+)/.exec(added.out)?.[1] ?? '';
    const list = await run(['failed']);
    expect(list.code).toBe(0);
    expect(list.out).toMatch(/^JOB +NAME +FAILED +NEXT CHECK +REASON$/m);
    expect(list.out).toMatch(new RegExp(`^${jobId} +add-domain +.* ago +in .* +runcloud-rejected: `, 'm'));
    const { out } = await run(['failed', '--json']);
    expect(JSON.parse(out)).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: jobId, domain: 'sad.example.org' })]),
    );
    const cut = await run(['failed', '--limit', '0']);
    expect(cut).toMatchObject({ code: 2, err: expect.stringMatching(/^--limit must be/) });
    const status = await run(['status', 'sad.example.org']);
    expect(status.out).toMatch(/^You must act: /m);

    const retried = await run(['retry', jobId]);
    expect(retried).toMatchObject({ code: 0, out: expect.stringMatching(/on its way again, job sad/) });
    await until(() => stage.names().includes('sad.example.org'), 'the retried job has attached it');
  });

  test('retry of a job that has not failed ends with 1; without ids with 2', async () => {
    expect(await run(['retry', 'nobody~1'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^nobody~1: refused: /),
    });
    expect(await run(['retry'])).toMatchObject({ code: 2, err: expect.stringMatching(/name the jobs/) });
  });

  test('doctor finds everything in order, as lines and as JSON', async () => {
    const text = await run(['doctor']);
    expect(text.code).toBe(0);
    for (const subject of ['configuration', 'redis', 'credentials', 'server', 'web application', 'ssl']) {
      expect(text.out).toMatch(new RegExp(`^(ok|warn) +${subject} `, 'm'));
    }
    const { code, out } = await run(['doctor', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(
      expect.arrayContaining([{ level: 'ok', subject: 'credentials', sentence: 'RunCloud accepts them' }]),
    );
    expect((await run(['doctor', '--redis-only'])).out).not.toMatch(/credentials/);
  });

  test('doctor ends with 1 where something is wrong, and says how to mend it', async () => {
    const wrong = await runCli(['doctor'], { env: { ...env, RUNCLOUD_API_TOKEN: 'not-the-right-one' } });
    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatch(/^fail +credentials .*\n +fix: Check the token/m);
    const away = await runCli(['doctor', '--redis-only'], { env: AWAY });
    expect(away.code).toBe(1);
    expect(away.out).toMatch(/^fail +redis .*did not answer.*\n +fix: check REDIS_URL/m);
    for (const result of [wrong, away]) expectNoStack(result);
  });
});

test('what is printed reaches a reader who takes his time, to the last byte', async () => {
  await using corner = await testRedis();
  using releases = new DisposableStack();
  const redis = releases.adopt(new Redis(corner.url), (open) => open.disconnect());
  const env = { REDIS_URL: corner.url, QUEUE_PREFIX: corner.prefix };
  const target = { RUNCLOUD_SERVER_ID: '1903', RUNCLOUD_APP_ID: '646' };
  const names = Array.from({ length: 4_000 }, (_, i) => `d${i}.example.org`);
  await using cli = startCli(['add', '--file', '-', '--json'], {
    env: { ...env, ...target },
    input: names.join('\n'),
  });
  cli.child.stdout?.pause();
  const key = `${corner.prefix}:runcloud-domains:prioritized`;
  await until(async () => (await redis.zcard(key)) === names.length, 'all are accepted');
  // Who did not wait for the reader would have ended by then.
  await Promise.race([once(cli.child, 'exit'), sleep(2_000, undefined, { ref: false })]);
  cli.child.stdout?.resume();
  const { code, out } = await cli.ended;
  expect(code).toBe(0);
  expect(out.length).toBeGreaterThan(500_000);
  expect(JSON.parse(out)).toHaveLength(4_000);
});

test('who stops --wait is told that the requests go on', async () => {
  await using stage = await createStage({ workers: 0 });
  await using cli = startCli(['add', 'later.example.org', '--wait'], { env: stage.env });
  await until(() => cli.err().includes('waiting for a worker'), 'it waits');
  cli.child.kill('SIGINT');
  expect(await cli.ended).toMatchObject({
    code: 130,
    err: expect.stringContaining('Stopped waiting; the requests go on: `status later.example.org`'),
  });
});
