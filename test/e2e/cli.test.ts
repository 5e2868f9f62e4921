// The command line as a person types it: what it prints, on which stream, and with which exit code
// it ends. Called in this process; cli-process.test.ts has what only a process of its own shows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exitCodes } from '../../src/cli/exit-codes.ts';
import {
  allDomains,
  badChoice,
  badLimit,
  NO_DOMAIN,
  NO_JOBS,
  queued,
  queuedAgain,
  unreadableFile,
} from '../../src/cli/messages.ts';
import { mustActLine, unknownDomain } from '../../src/cli/output/status-messages.ts';
import { stateNames } from '../../src/domains/states.ts';
import { codes } from '../../src/errors.ts';
import { version } from '../../src/version.ts';
import { type CallOptions, type CliResult, runCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
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
/** One second is promised. A second for each of 100 domains, or no end, takes longer than this. */
const NEVER_MS = 90_000;
const AWAY = { REDIS_URL: 'redis://127.0.0.1:1', RUNCLOUD_SERVER_ID: '1903', RUNCLOUD_APP_ID: '646' };

/** The id of the nth job whose id begins with `domain`, as printed. */
const jobIdOf = (printed: string, domain: string, nth = 0): string =>
  [...printed.matchAll(/[\w.-]+_1903_646~\d+/g)].map(([id]) => id).filter((id) => id.startsWith(domain))[
    nth
  ] ?? '';

const expectNoStack = ({ out, err }: CliResult): void => {
  expect(out + err).not.toMatch(/^\s+at .*[:(]\d+|node:internal|Warning:/m);
};

describe('help', () => {
  test.each([[], ...commands.map((command) => [command])])('of "%s" ends with 0', async (...args) => {
    const { code, out, err } = await runCli([...args.filter((arg) => arg !== undefined), '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Usage: runcloud-domains/);
    const [command] = args;
    if (command) expect(out).toMatch(new RegExp(`Examples?:\\n +runcloud-domains ${command}`));
  });

  test('of the program has the exit codes and every command', async () => {
    const { out } = await runCli(['--help']);
    for (const exitCode of Object.values(exitCodes)) expect(out).toMatch(new RegExp(` ${exitCode}  \\w`));
    for (const command of commands) expect(out).toMatch(new RegExp(`^ +${command} `, 'm'));
  });

  test('has the version', async () => {
    expect((await runCli(['--version'])).out).toBe(`${version}\n`);
  });
});

describe('a command line that is wrong ends with 2:', () => {
  const cases: readonly (readonly [string, string[], CallOptions, RegExp | string])[] = [
    ['an unknown command; the nearest is suggested', ['ad', 'a.example.org'], {}, /Did you mean .*add\?/],
    ['an unknown option; the nearest is suggested', ['add', '--jsn'], {}, /--jsn.*\n.*Did you mean --json/],
    ['a www that is none', ['add', 'a.example.org', '--www', 'maybe'], {}, /Allowed choices are auto/],
    ['no domain', ['add'], {}, NO_DOMAIN],
    ['a domain that cannot be one', ['add', 'a_b.example.org'], {}, /^a_b\.example\.org: .*underscore/],
    ['a pasted address', ['remove', 'https://a.example.org/x'], {}, /use "a\.example\.org"/],
    ['a server id that is no number', ['add', 'a.example.org', '--server', 'x'], {}, /serverId: must be/],
    [
      'a file that is not there',
      ['add', '--file', 'nowhere.txt'],
      {},
      unreadableFile('nowhere.txt', 'no such file'),
    ],
    [
      'a state that is none; the states are named',
      ['status', '--state', 'held,settled'],
      {},
      badChoice('--state', stateNames, 'settled'),
    ],
    [
      'no web application',
      ['add', 'a.example.org'],
      { env: { REDIS_URL: AWAY.REDIS_URL } },
      /There is no serverId and appId: set RUNCLOUD_SERVER_ID/,
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

  test.each(cases)('%s', async (_, args, options, problem) => {
    const result = await runCli(args, { env: AWAY, ...options });
    expect(result.err).toMatch(problem);
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
  test.concurrent.each(cases)('%s', async (_, args) => {
    const startedAt = performance.now();
    const result = await runCli(args, { env: AWAY, isRedisAway: true });
    expect(performance.now() - startedAt).toBeLessThan(NEVER_MS);
    expect({ code: result.code, out: result.out }).toEqual({ code: 3, out: '' });
    expect(result.err).toMatch(/^[^\n]*Redis did not answer within 1000 ms[^\n]*\n$/);
    expectNoStack(result);
  });

  test('add --json prints it as JSON too', async () => {
    const { code, out } = await runCli(['add', 'a.example.org', '--json'], { env: AWAY, isRedisAway: true });
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
    stage = await createStage({ retries: { attempts: 2 } });
    env = stage.env;
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });
  /** On a starved machine Redis' answer may come after the deadline: the command says so with 3, and is sent again. */
  async function run(args: string[], input?: string): Promise<CliResult> {
    for (let left = 20; ; left -= 1) {
      const result = await runCli(args, { env, ...(input !== undefined && { input }) });
      if (result.code !== exitCodes.unavailable || left === 0) return result;
    }
  }

  test('add --wait follows the jobs to their end; progress is on stderr', async () => {
    const result = await run(['add', 'one.example.org', 'two.example.org', '--site', '12', '--wait']);
    expect(result.code).toBe(0);
    expect(result.out.trim().split('\n')).toEqual([
      queued('one.example.org', { jobId: jobIdOf(result.out, 'one'), isRepeated: false }),
      queued('two.example.org', { jobId: jobIdOf(result.out, 'two'), isRepeated: false }),
    ]);
    expect(result.err).toMatch(/^one\.example\.org: /m);
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
    expect(out).toMatch(/^good\.example\.org: .*good\.example\.org_1903_646~\d+/);
    expect(err).toMatch(/^b_ad\.example\.org: .*underscore/);
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
    expect(err).toMatch(/failed: primary-domain: /);
  });

  test('redeploy --wait reissues the certificate', async () => {
    await stage.idle();
    const before = stage.calls('redeploy-ssl').length;
    const { code, out } = await run(['redeploy', '--wait']);
    expect(code).toBe(0);
    const jobId = jobIdOf(out, 'redeploy');
    expect(jobId).toMatch(/^redeploy_1903_646~\d+$/);
    expect(out).toBe(`${queued(allDomains(646), { jobId, isRepeated: false })}\n`);
    expect(stage.calls('redeploy-ssl').length).toBeGreaterThan(before);
  });

  test('status shows the queue and its domains, as a table and as JSON', async () => {
    await run(['add', 'listed.example.org', '--wait']);
    const text = await run(['status']);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/^Jobs: \d+ waiting, \d+ running, \d+ delayed, \d+ failed, \d+ completed$/m);
    expect(text.out).toMatch(/^Domains: .*\d+ attached/m);
    expect(text.out).toMatch(/^DOMAIN +REQUESTED +STATE +NEXT +REASON$/m);
    expect(text.out).toMatch(/^listed\.example\.org +attach +attached +/m);
    const { code, out } = await run(['status', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      counts: { active: expect.any(Number) },
      states: { attached: expect.any(Number) },
      domains: expect.arrayContaining([expect.objectContaining({ domain: 'listed.example.org' })]),
    });
  });

  test('status of one domain has what was requested, what happened and what comes next', async () => {
    await run(['add', 'one-domain.example.org', '--wait']);
    const text = await run(['status', 'One-domain.example.org.']);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/^one-domain\.example\.org: attached since .* ago\)\.$/m);
    expect(text.out).toMatch(/^Requested .* ago by cli:.*\(web application 646\)\.$/m);
    expect(text.out).toMatch(/^ {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC +requested +.* by cli:/m);
    const { out } = await run(['status', 'one-domain.example.org', '--json']);
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
    expect(removed.out).toMatch(/^goes\.example\.org +remove +removed/m);
    expect(removed.out).not.toMatch(/^stays\.example\.org/m);
  });

  test('status of an unknown domain ends with 1, of one that cannot be with 2', async () => {
    expect(await run(['status', 'never.example.org'])).toMatchObject({
      code: 1,
      out: '',
      err: `${unknownDomain('never.example.org')}\n`,
    });
    const bad = await run(['status', 'a_b.example.org']);
    expect(bad).toMatchObject({ code: 2, err: expect.stringMatching(/underscore.*\[invalid-domain\]/) });
    expectNoStack(bad);
  });

  test('its output has no secret of the configuration, and no control characters', async () => {
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

  test('failed lists what has failed and when it is retried, retry does it at once', async () => {
    const fault = {
      kind: 'status',
      status: 422,
      body: { message: 'The domain name is not allowed.' },
      domain: 'sad.example.org',
    } as const;
    stage.simulator.addFault(fault);
    const added = await run(['add', 'sad.example.org', '--wait']);
    expect(added.code).toBe(1);
    const jobId = jobIdOf(added.out, 'sad');
    const list = await run(['failed']);
    expect(list.code).toBe(0);
    expect(list.out).toMatch(/^JOB +NAME +FAILED +NEXT +REASON$/m);
    expect(list.out).toMatch(new RegExp(`^${jobId} +add-domain +.* ago +in .* +runcloud-rejected: `, 'm'));
    const { out } = await run(['failed', '--json']);
    expect(JSON.parse(out)).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: jobId, domain: 'sad.example.org' })]),
    );
    const cut = await run(['failed', '--limit', '0']);
    expect(cut).toMatchObject({ code: 2, err: `${badLimit(10_000)}\n` });
    const status = await run(['status', 'sad.example.org']);
    expect(status.out).toContain(mustActLine('operator', codes['runcloud-rejected'].fix, false));

    const retried = await run(['retry', jobId]);
    expect(retried).toMatchObject({
      code: 0,
      out: `${queuedAgain(jobId, 'job', jobIdOf(retried.out, 'sad', 1))}\n`,
    });
    await until(() => stage.names().includes('sad.example.org'), 'the retried job has attached it');
  });

  test('retry of a job that has not failed ends with 1; without ids with 2', async () => {
    expect(await run(['retry', 'nobody~1'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^nobody~1: /),
    });
    expect(await run(['retry'])).toMatchObject({ code: 2, err: `${NO_JOBS}\n` });
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
      expect.arrayContaining([expect.objectContaining({ level: 'ok', subject: 'credentials' })]),
    );
    expect((await run(['doctor', '--redis-only'])).out).not.toMatch(/credentials/);
  });

  test('doctor ends with 1 where something is wrong, with the fix', async () => {
    const wrong = await runCli(['doctor'], { env: { ...env, RUNCLOUD_API_TOKEN: 'not-the-right-one' } });
    expect(wrong.code).toBe(1);
    expect(wrong.out).toMatch(/^fail +credentials .*\n +fix: /m);
    const away = await runCli(['doctor', '--redis-only'], { env: AWAY });
    expect(away.code).toBe(1);
    expect(away.out).toMatch(/^fail +redis .*did not answer.*\n +fix: .*REDIS_URL/m);
    for (const result of [wrong, away]) expectNoStack(result);
  });
});
