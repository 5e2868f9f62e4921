// doctor --survey and --try-domain: what they send, save and print. A stopped or killed run leaves
// nothing behind.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { PLANTED_SECRETS } from '../../packages/simulator/src/index.ts';
import {
  CERTIFICATE_NEEDS_TRIAL,
  CHECKS_ONLY,
  fileExists,
  NO_TARGET,
  NOBODY_TO_CONFIRM,
  ONE_AT_A_TIME,
  TRIAL_CLEANED,
  TRIAL_STOPPED,
  TRIAL_STOPPING,
  trialLeft,
  trialWrites,
} from '../../src/cli/doctor/messages.ts';
import { resumedAfterTrial, surveyEnds } from '../../src/doctor/messages.ts';
import type { AccountReport } from '../../src/doctor/report.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage, type StageOptions } from '../helpers/worker.ts';

const TRIAL = 'trial.example.net';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-account-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const out = (): string => join(folder, 'report.json');
const journal = (): string => join(folder, 'report.journal.json');
const readReport = (): AccountReport => JSON.parse(readFileSync(out(), 'utf8')) as AccountReport;
const createScene = (simulator: StageOptions['simulator'] = {}): Promise<Stage> =>
  createStage({ workers: 0, simulator });
const doctor = ({ env }: Stage, ...args: string[]) => runCli(['doctor', '--out', out(), ...args], { env });

describe('--survey', () => {
  test('shows what it will call, saves a report without secrets, and prints the switches that match', async () => {
    await using stage = await createScene({ variants: { metaShape: 'laravel', sslDates: 'iso' } });
    const result = await doctor(stage, '--survey', '--yes');
    expect(result.code).toBe(0);
    expect(result.out).toContain('GET /servers/{server}/webapps/{webapp}/domains?perPage=41');
    expect(result.out).toMatch(/metaShape +laravel +differs\n/);
    expect(result.out).toContain(
      'npx runcloud-simulator --set metaShape=laravel --set rateLimitHeaders=absent --set sslDates=iso',
    );
    expect(readReport()).toMatchObject({ report: 'survey', api: 'v3', stopped: null });
    expect(readReport().switches).toMatchObject({ metaShape: 'laravel', sslDates: 'iso' });
    expect(statSync(out()).mode & 0o777).toBe(0o600);
    const said = result.out + result.err + readFileSync(out(), 'utf8');
    for (const secret of Object.values(PLANTED_SECRETS)) expect(said).not.toContain(secret);
  });

  test('sends nothing without a terminal to confirm on, over a file, or without a web application', async () => {
    await using stage = await createScene();
    expect(await doctor(stage, '--survey')).toMatchObject({
      code: 2,
      err: `${NOBODY_TO_CONFIRM}\n`,
    });
    const nowhere = { ...stage.env, RUNCLOUD_APP_ID: '' };
    const unnamed = await runCli(['doctor', '--survey', '--yes', '--out', out()], { env: nowhere });
    expect(unnamed).toMatchObject({ code: 2, err: `${NO_TARGET}\n` });
    expect(stage.simulator.state.calls).toEqual([]);
    const named = await runCli(['doctor', '--survey', '--yes', '--app', '646', '--out', out()], {
      env: nowhere,
    });
    expect(named.code).toBe(0);
    const before = stage.simulator.state.calls.length;
    expect(await doctor(stage, '--survey', '--yes')).toMatchObject({
      code: 2,
      err: `${fileExists(out())}\n`,
    });
    expect(stage.simulator.state.calls).toHaveLength(before);
  });

  test('that stops early says why, ends with 1, and saves what it saw', async () => {
    await using stage = await createScene();
    stage.simulator.addFault({ kind: 'status', status: 429, operation: 'get-webapp' });
    const result = await doctor(stage, '--survey', '--yes');
    expect(result).toMatchObject({ code: 1, err: expect.stringContaining(surveyEnds.rateLimited) });
    expect(readReport().stopped).toContain('HTTP 429');
  });
});

describe('--try-domain', () => {
  const isGone = async (stage: Stage): Promise<void> => {
    expect(stage.names()).not.toContain(TRIAL);
    expect(existsSync(journal())).toBe(false);
    expect(await stage.producer.pauses.list()).toEqual([]);
  };

  test('tries, takes back, saves', async () => {
    await using stage = await createScene({ variants: { createStatus: '201', deleteReply: '204' } });
    const result = await doctor(stage, '--try-domain', TRIAL, '--yes');
    expect(result.code).toBe(0);
    expect(result.err).toMatch(/^web application 646 .*\nPOST .*\n {2}-> HTTP 201\n/);
    expect(result.err).toContain(resumedAfterTrial(646));
    expect(readReport()).toMatchObject({
      report: 'try-domain',
      switches: { createStatus: '201', deleteReply: '204', duplicateReply: '422-message' },
    });
    await isGone(stage);
  });

  test.each([
    [['--try-domain', TRIAL], trialWrites(TRIAL)],
    [['--try-domain', 'no_domain', '--yes'], 'no_domain'],
    [['--try-domain', 'co.uk', '--yes'], 'public suffix'],
    [['--try-domain', 'network.example.org', '--yes'], 'is on web application 646'],
    [['--try-domain', TRIAL, '--yes', '--with-certificate'], 'needs advanced SSL'],
    [['--try-domain', TRIAL, '--survey', '--yes'], ONE_AT_A_TIME],
    [['--survey', '--with-certificate', '--yes'], CERTIFICATE_NEEDS_TRIAL],
    [['--survey', '--json', '--yes'], CHECKS_ONLY],
  ])('%j is refused, and nothing is written', async (args, why) => {
    await using stage = await createScene();
    expect(await doctor(stage, ...args)).toMatchObject({ code: 2, err: expect.stringContaining(why) });
    expect(stage.simulator.state.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
    expect([existsSync(out()), existsSync(journal())]).toEqual([false, false]);
  });

  const args = () => ['doctor', '--try-domain', TRIAL, '--yes', '--out', out()];
  /** The trial waits for an answer, with the name attached. */
  const slowAnswers = (stage: Stage): Readonly<Record<string, string>> => {
    stage.simulator.addFault({ kind: 'slow', delayMs: 3_600_000, operation: 'get-domain' });
    return { ...stage.env, RUNCLOUD_TIMEOUT: '600s' };
  };
  async function untilStuck(stage: Stage): Promise<void> {
    await until(() => stage.calls('get-domain').length > 0, 'it waits for an answer');
    expect(stage.names()).toContain(TRIAL);
  }

  test('that is killed is undone by the same command, which reports it', async () => {
    await using stage = await createScene();
    await using cli = startCli(args(), { env: slowAnswers(stage) });
    await untilStuck(stage);
    cli.child.kill('SIGKILL');
    await cli.ended;
    stage.simulator.clearFaults();
    expect([stage.names().includes(TRIAL), existsSync(journal())]).toEqual([true, true]);
    const again = await doctor(stage, '--try-domain', TRIAL, '--yes');
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining(trialLeft(TRIAL, journal())) });
    expect(again.out).toContain(TRIAL_CLEANED);
    await isGone(stage);
  });

  test('that a signal stops removes what it wrote', async () => {
    await using stage = await createScene();
    const { promise: stopped, resolve: stop } = Promise.withResolvers<string>();
    const ended = runCli(args(), { env: slowAnswers(stage), stopped });
    await untilStuck(stage);
    stop('SIGINT');
    await setImmediate();
    stage.simulator.clearFaults();
    const { code, err } = await ended;
    expect(code).toBe(1);
    expect(err).toContain(TRIAL_STOPPING);
    expect(readReport().stopped).toBe(TRIAL_STOPPED);
    await isGone(stage);
  });
});
