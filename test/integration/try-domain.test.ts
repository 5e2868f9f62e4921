// doctor --try-domain against the simulator: it names the switches that were set, and whatever happens, nothing of it stays.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Call,
  type FaultKind,
  PLANTED_SECRETS,
  VARIANT_TABLE,
  type VariantName,
  type Variants,
} from '../../packages/simulator/src/index.ts';
import { createInvestigation, createTrialRecords } from '../../src/app/investigation.ts';
import { createJournal } from '../../src/doctor/journal.ts';
import * as messages from '../../src/doctor/messages.ts';
import { toText } from '../../src/doctor/report.ts';
import { type Trial, TrialRefusal, type TryPorts, tryDomain } from '../../src/doctor/try-domain.ts';
import { UndoFailure, undo } from '../../src/doctor/undo.ts';
import { APP, createStage, type Stage, type StageOptions } from '../helpers/worker.ts';

const TRIAL = 'trial.example.net';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-trial-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const journalFile = (): string => join(folder, 'trial.journal.json');

const createTrialStage = (
  simulator: StageOptions['simulator'] = {},
  env: Record<string, string> = {},
): Promise<Stage> => createStage({ workers: 0, env, simulator });

/** The ports as the command line makes them; what is given replaces some. */
async function withPorts<T>(
  stage: Stage,
  run: (ports: TryPorts) => Promise<T>,
  given: Partial<TryPorts> = {},
): Promise<T> {
  const investigation = createInvestigation(stage.config);
  if (!investigation) throw new Error('the stage has no credentials');
  try {
    return await run({
      ...investigation,
      ...createTrialRecords(stage.producer, 'cli:test'),
      journal: createJournal(journalFile()),
      wait: async () => undefined,
      onStep: () => undefined,
      print: () => undefined,
      isStopped: () => false,
      ...given,
    });
  } finally {
    investigation.close();
  }
}

const attempt = (
  stage: Stage,
  more: { name?: string; withCertificate?: boolean } = {},
  given?: Partial<TryPorts>,
) =>
  withPorts(
    stage,
    (ports) => tryDomain({ name: TRIAL, app: APP, withCertificate: false, ...more }, ports),
    given,
  );

const removeTrial = (stage: Stage) =>
  withPorts(stage, async (ports) => {
    const left = ports.journal.read();
    if (left) await undo(left, ports);
    return left !== undefined;
  });

async function expectNothingLeft(stage: Stage): Promise<void> {
  expect(stage.names()).not.toContain(TRIAL);
  expect(existsSync(journalFile())).toBe(false);
  expect(await stage.producer.pauses.list()).toEqual([]);
}

const differing = ({ switches }: Trial): Record<string, string> =>
  Object.fromEntries(
    Object.entries(switches).filter(
      ([name, value]) => VARIANT_TABLE[name as VariantName].values[0] !== value,
    ),
  );

type Case = { [N in VariantName]: readonly [N, Variants[N]] }[VariantName];
const casesOf = (...names: VariantName[]): Case[] =>
  names.flatMap((name) => VARIANT_TABLE[name].values.map((value) => [name, value] as unknown as Case));

describe('the answers to writes', () => {
  test.each(
    casesOf('createStatus', 'attachReply', 'duplicateReply', 'deleteReply', 'deleteUnknown', 'singleObjects'),
  )('are named: %s=%s', async (name, value) => {
    await using stage = await createTrialStage({ variants: { [name]: value } });
    const trial = await attempt(stage);
    const isUsual = VARIANT_TABLE[name].values[0] === value;
    expect(differing(trial)).toEqual(isUsual ? {} : { [name]: value });
    expect(trial.switches).toHaveProperty(name, value);
    await expectNothingLeft(stage);
  });

  test.each(casesOf('domainSslReply', 'firstIssuance', 'domainSslShape', 'noDomainSsl'))(
    'are named with a certificate of the staging environment: %s=%s',
    async (name, value) => {
      const seed = { webapps: [{ advancedSsl: true }] };
      await using stage = await createTrialStage({
        seed,
        issuanceLagMs: 60_000,
        variants: { [name]: value },
      });
      const before = stage.simulator.state.certificates();
      const wait = async () => stage.simulator.finishOrders();
      const trial = await attempt(stage, { withCertificate: true }, { wait });
      const isTold = name === 'domainSslReply' || name === 'firstIssuance';
      expect(trial.switches[name]).toBe(isTold ? value : undefined);
      expect(stage.simulator.state.orders.map(({ names }) => names)).toEqual([[TRIAL]]);
      expect(stage.calls('install-domain-ssl')[0]?.body).toMatchObject({ environment: 'staging' });
      expect(stage.simulator.state.certificates()).toEqual(before);
      await expectNothingLeft(stage);
    },
  );

  test('cost no order without --with-certificate, and the certificate of all is not touched', async () => {
    await using stage = await createTrialStage();
    await attempt(stage);
    expect(stage.simulator.state.orders).toEqual([]);
    expect(stage.simulator.state.certificates()).toHaveLength(1);
  });

  test('stand in a report without a name, an id or a secret', async () => {
    await using stage = await createTrialStage({ variants: { duplicateReply: '422-errors' } });
    const { observations, switches } = await attempt(stage);
    const text = toText({
      report: 'try-domain',
      version: '0.1.0',
      api: 'v3',
      stopped: null,
      observations,
      switches,
    });
    const values = [
      'trial',
      'example',
      '1903',
      '646',
      '4711',
      '4712',
      'taken',
      ...Object.values(PLANTED_SECRETS),
    ];
    for (const value of values) expect(text).not.toContain(value);
    expect(text).toContain('"errors.name[]": "text"');
  });
});

describe('a name is refused, and nothing is written', () => {
  const writes = ({ simulator }: Stage): Call[] =>
    simulator.state.calls.filter(({ method }) => method !== 'GET');
  async function refused(
    stage: Stage,
    code: TrialRefusal['code'],
    more: Parameters<typeof attempt>[1] = {},
  ): Promise<void> {
    const error = await attempt(stage, more).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrialRefusal);
    expect(error).toMatchObject({ code });
    expect(writes(stage)).toEqual([]);
    expect(existsSync(journalFile())).toBe(false);
  }

  test.each([TRIAL, `www.${TRIAL}`])('that is attached, or is a twin of what is: %s', async (domain) => {
    await using stage = await createTrialStage({ seed: { webapps: [{ domains: [domain] }] } });
    await refused(stage, 'attached');
  });

  test.each(['add-domain', 'remove-domain'] as const)('that our records know: %s', async (job) => {
    await using stage = await createTrialStage();
    await stage.producer.requests.enqueue(job, { domain: TRIAL, appId: 700 });
    await refused(stage, 'known');
    await refused(stage, 'known', { name: `www.${TRIAL}` });
  });

  test('with a certificate where all domains share one', async () => {
    await using stage = await createTrialStage();
    await refused(stage, 'sharedCertificate', { withCertificate: true });
  });

  test('where AutoSSL would order a certificate by itself', async () => {
    await using stage = await createTrialStage({ seed: { webapps: [{ advancedSsl: true, autoSsl: true }] } });
    await refused(stage, 'autoSsl');
  });
});

describe('whatever breaks, it is taken back', () => {
  const operations = ['attach-domain', 'list-domains', 'get-domain', 'get-ssl', 'delete-domain'] as const;
  const kinds: readonly [FaultKind, object][] = [
    ['status', { status: 500, appliesWrite: true }],
    ['status', { status: 403 }],
    ['firewall', {}],
    ['html', { status: 200 }],
    ['drop-after', {}],
    ['drop-before', {}],
    ['truncated-json', {}],
  ];
  const rows = operations.flatMap((operation) =>
    kinds.flatMap(([kind, more]) => [0, 1].map((skip) => ({ operation, kind, skip, ...more }))),
  );

  test.each(rows.map((rule) => [JSON.stringify(rule), rule] as const))('%s', async (_, rule) => {
    await using stage = await createTrialStage();
    stage.simulator.addFault(rule);
    const error = await attempt(stage).catch((reason: unknown) => reason);
    // Where the taking back itself failed the journal stays, and the next run does it.
    expect(existsSync(journalFile())).toBe(error instanceof UndoFailure);
    if (error instanceof UndoFailure) expect(error.message).toContain(journalFile());
    stage.simulator.clearFaults();
    await removeTrial(stage);
    await expectNothingLeft(stage);
  });

  test('a write that comes late is found by the second check', async () => {
    await using stage = await createTrialStage();
    stage.simulator.addFault({ kind: 'drop-before', operation: 'attach-domain', times: 2 });
    const late = async () => void stage.simulator.attachDomain({ name: TRIAL });
    await attempt(stage, {}, { wait: late });
    await expectNothingLeft(stage);
  });

  test('what was asked for meanwhile is not taken off', async () => {
    await using stage = await createTrialStage();
    const onStep = (step: string) => {
      if (step.includes('DELETE')) throw new Error('killed');
    };
    await attempt(stage, {}, { onStep }).catch(() => undefined);
    expect(stage.names()).toContain(TRIAL);
    await stage.producer.requests.enqueue('add-domain', { domain: TRIAL });
    expect(await removeTrial(stage)).toBe(true);
    expect(stage.names()).toContain(TRIAL);
    expect(existsSync(journalFile())).toBe(false);
  });

  test('nor is a domain of that name that somebody attached since', async () => {
    await using stage = await createTrialStage();
    const { id } = stage.simulator.attachDomain({ name: TRIAL });
    const left = { name: TRIAL, ...APP, step: 'delete', domainId: id + 1 };
    createJournal(journalFile()).write(left);
    expect(await removeTrial(stage)).toBe(true);
    expect(stage.names()).toContain(TRIAL);
  });
});

test.each([{}, { attachReply: 'empty' }, { deleteUnknown: '422' }] as const)(
  'a list that is behind hides nothing of it: %j',
  async (variants) => {
    let clock = Date.now();
    await using stage = await createTrialStage({ listLagMs: 5_000, now: () => clock, variants });
    const wait = async (ms: number): Promise<void> => {
      clock += ms;
    };
    const trial = await attempt(stage, {}, { wait });
    expect(trial.switches.duplicateReply).toBe('422-message');
    await expectNothingLeft(stage);
  },
);

test('a name that RunCloud refuses is somebody else’s, and is not taken off', async () => {
  await using stage = await createTrialStage();
  const onStep = (step: string): void => {
    if (step.startsWith('POST') && !stage.names().includes(TRIAL))
      stage.simulator.attachDomain({ name: TRIAL });
  };
  const { observations } = await attempt(stage, {}, { onStep });
  expect(observations).toMatchObject([{ name: 'attach', status: 422 }]);
  expect(stage.names()).toContain(TRIAL);
  expect(stage.calls('delete-domain')).toEqual([]);
});

describe('a run that is killed', () => {
  /** A process that ends at this step: nothing of it runs any more, its taking back included. */
  const killedAt = (nth: number): Partial<TryPorts> => {
    let steps = 0;
    const live = (): boolean => {
      steps += 1;
      if (steps >= nth) throw new Error('killed');
      return true;
    };
    return { onStep: live, resume: async () => live() };
  };

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('at step %i is taken back by the next', async (nth) => {
    await using stage = await createTrialStage({
      seed: { webapps: [{ advancedSsl: true }] },
      issuanceLagMs: 60_000,
    });
    const before = stage.simulator.state.certificates();
    await attempt(stage, { withCertificate: true }, killedAt(nth)).catch(() => undefined);
    expect(existsSync(journalFile())).toBe(true);
    expect(await removeTrial(stage)).toBe(true);
    await expectNothingLeft(stage);
    expect(stage.simulator.state.certificates()).toEqual(before);
  });

  test('has written down what it was about to do, before it did it', async () => {
    await using stage = await createTrialStage();
    const seen: string[] = [];
    stage.simulator.addFault({ kind: 'drop-before', operation: 'attach-domain', times: 'always' });
    const onStep = (): void => {
      if (existsSync(journalFile()))
        seen.push((JSON.parse(readFileSync(journalFile(), 'utf8')) as { step: string }).step);
    };
    await attempt(stage, {}, { onStep });
    expect(seen.slice(0, 2)).toEqual(['paused', 'attach']);
  });

  test('leaves a journal that is not mistaken for another file', async () => {
    await using stage = await createTrialStage();
    writeFileSync(journalFile(), '{"name":"shop.example.org"}');
    await expect(removeTrial(stage)).rejects.toThrow(messages.noJournal(journalFile()));
  });
});

test('who stops it gets what was written taken back, and no more calls than that', async () => {
  await using stage = await createTrialStage();
  let steps = 0;
  const onStep = (): void => {
    steps += 1;
  };
  const trial = await attempt(stage, {}, { onStep, isStopped: () => steps >= 2 });
  expect(trial.isStopped).toBe(true);
  expect(trial.observations.map(({ name }) => name)).toEqual(['attach', 'attach-again']);
  await expectNothingLeft(stage);
});

describe('our own jobs of the web application', () => {
  test('are paused meanwhile, and go on afterwards', async () => {
    await using stage = await createTrialStage();
    const scopes: unknown[] = [];
    const onStep = async () =>
      void scopes.push(...(await stage.producer.pauses.list()).map(({ scope }) => scope));
    await attempt(stage, {}, { onStep });
    expect(scopes).toContainEqual({ kind: 'app', ...APP });
    await expectNothingLeft(stage);
  });

  test('are said to be paused and to go on, and the audit log has both', async () => {
    await using stage = await createTrialStage();
    const printed: string[] = [];
    await attempt(stage, {}, { print: (sentence) => void printed.push(sentence) });
    expect(printed[0]).toBe(messages.pausedForTrial(646));
    expect(printed).toContain(messages.replied(200));
    expect(printed.at(-1)).toBe(messages.resumedAfterTrial(646));
    const entries = await stage.producer.audit.list({ limit: 10 });
    expect(entries.map(({ who, what }) => `${who} ${what}`)).toEqual(['cli:test resume', 'cli:test pause']);
  });

  test('stay paused where a person has set another pause meanwhile', async () => {
    await using stage = await createTrialStage();
    const onStep = async (step: string): Promise<void> => {
      if (step.startsWith('GET'))
        await stage.producer.pauses.pause({ scope: { kind: 'app', ...APP }, reason: 'mine', by: 'ada' });
    };
    const printed: string[] = [];
    await attempt(stage, {}, { onStep, print: (sentence) => void printed.push(sentence) });
    expect(await stage.producer.pauses.list()).toMatchObject([{ reason: 'mine' }]);
    expect(printed.at(-1)).toBe(messages.pauseReplaced);
  });

  test('that a person has paused stay paused', async () => {
    await using stage = await createTrialStage();
    await stage.producer.pauses.pause({ scope: { kind: 'app', ...APP }, reason: 'mine', by: 'ada' });
    await attempt(stage);
    expect(await stage.producer.pauses.list()).toMatchObject([{ reason: 'mine' }]);
  });
});
