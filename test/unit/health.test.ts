// What is said of an installation's health: each check's judgement, and the readings behind it.
import { describe, expect, test } from '@jest/globals';
import { cached } from '../../src/health/cached.ts';
import {
  type CheckName,
  checkNames,
  createHealth,
  examineReadiness,
  parseOnly,
} from '../../src/health/checks.ts';
import * as messages from '../../src/health/messages.ts';
import type { Vitals } from '../../src/health/vitals.ts';

const NOW = 10_000_000;
const settings = { oldestDueMs: 300_000, reconcileIntervalMs: 900_000 };
const worker = { id: 'a', host: 'h', pid: 1, version: '1', startedAt: 1, running: 2, concurrency: 5 };

const well: Vitals = {
  at: NOW,
  counts: { waiting: 0, active: 2, delayed: 0, failed: 0, completed: 9 },
  oldestDueMs: 0,
  unavailable: undefined,
  lastSuccess: { reconcile: NOW - 60_000, monitor: undefined },
  workers: [worker],
  pauses: [],
  callbacks: undefined,
};
const held = (kind: 'throttled' | 'outage' | 'credentials') => ({
  kind,
  waitMs: 1000,
  sentence: `because ${kind}`,
});
const failing = (vitals: Partial<Vitals>): CheckName[] =>
  examineReadiness({ ...well, ...vitals }, settings)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);
const checkOf = (vitals: Partial<Vitals>, name: CheckName) =>
  examineReadiness({ ...well, ...vitals }, settings).find((check) => check.name === name);

describe('examineReadiness', () => {
  test('names every check, in the same order, with a reason; and a fix exactly where it is not ok', () => {
    const worst: Vitals = {
      ...well,
      unavailable: held('outage'),
      oldestDueMs: 300_001,
      workers: [],
      lastSuccess: { reconcile: undefined, monitor: undefined },
      pauses: [{ scope: 'all', sentence: 'paused by ada' }],
    };
    for (const checks of [well, worst, undefined].map((vitals) => examineReadiness(vitals, settings))) {
      expect(checks.map(({ name }) => name)).toEqual(checkNames);
      for (const { ok, reason, fix } of checks) {
        expect(reason).not.toBe('');
        expect(fix === undefined).toBe(ok);
      }
    }
  });

  test('finds nothing where all is well', () => expect(failing({})).toEqual([]));

  test('knows nothing without Redis', () => {
    expect(examineReadiness(undefined, settings).every(({ ok }) => !ok)).toBe(true);
  });

  test.each<[string, Partial<Vitals>, CheckName[]]>([
    ['an outage', { unavailable: held('outage') }, ['runcloud']],
    ['refused credentials', { unavailable: held('credentials') }, ['credentials']],
    ['a 429, which passes', { unavailable: held('throttled') }, []],
    ['a job that is due for too long', { oldestDueMs: 300_001 }, ['oldest-due-job']],
    ['a job that is due for a while', { oldestDueMs: 300_000 }, []],
    ['no worker', { workers: [] }, ['workers']],
    ['never reconciled', { lastSuccess: { reconcile: undefined, monitor: 1 } }, ['reconcile']],
    ['an old reconcile', { lastSuccess: { reconcile: NOW - 2_760_001, monitor: 1 } }, ['reconcile']],
    [
      'a reconcile that is just young enough',
      { lastSuccess: { reconcile: NOW - 2_760_000, monitor: 1 } },
      [],
    ],
    ['a reconcile by a clock ahead of ours', { lastSuccess: { reconcile: NOW + 5_000, monitor: 1 } }, []],
    ['a pause of everything', { pauses: [{ scope: 'all', sentence: 'x' }] }, ['paused']],
    ['a pause of one site', { pauses: [{ scope: 'site', sentence: 'x' }] }, []],
  ])('judges %s', (_, vitals, expected) => expect(failing(vitals)).toEqual(expected));

  test('passes on what the limiter and the pauses say', () => {
    expect(checkOf({ unavailable: held('throttled') }, 'runcloud')?.reason).toBe('because throttled');
    expect(checkOf({ unavailable: held('credentials') }, 'credentials')?.reason).toBe('because credentials');
    expect(
      checkOf({ pauses: [{ scope: 'site', sentence: 'site 7: paused by ada' }] }, 'paused')?.reason,
    ).toBe('site 7: paused by ada');
  });

  test('tells a job that waits for RunCloud from one that waits for a worker', () => {
    expect(checkOf({ oldestDueMs: 900_000, unavailable: held('outage') }, 'oldest-due-job')?.fix).toBe(
      messages.jobsWaitFix,
    );
    expect(checkOf({ oldestDueMs: 900_000 }, 'oldest-due-job')?.fix).toBe(messages.notTakenFix);
  });
});

describe('createHealth', () => {
  const options = { version: '1.2.3', settings };

  test('is ready where all checks are ok, and tells of the workers', async () => {
    const health = createHealth({ ...options, vitals: async () => well });
    expect(await health.ready()).toMatchObject({ ok: true, workers: [worker] });
    expect(health.alive()).toMatchObject({ status: 'ok', version: '1.2.3' });
  });

  test('looks at the checks asked for only', async () => {
    const health = createHealth({ ...options, vitals: async () => ({ ...well, workers: [] }) });
    expect(await health.ready()).toMatchObject({ ok: false });
    const { ok, checks } = await health.ready(['redis', 'paused']);
    expect(ok).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual(['redis', 'paused']);
  });

  test('does not wait for a Redis that never answers', async () => {
    const health = createHealth({ ...options, vitals: () => new Promise<Vitals>(() => undefined) });
    const { ok, checks } = await health.ready(['redis']);
    expect(ok).toBe(false);
    expect(checks[0]?.reason).toMatch(/does not answer/);
    await expect(health.vitals()).rejects.toMatchObject({ code: 'redis-unavailable' });
  });

  test('parseOnly knows the names, and refuses others', () => {
    expect(parseOnly(undefined)).toEqual(checkNames);
    expect(parseOnly('workers,redis')).toEqual(['redis', 'workers']);
    expect(parseOnly('redis,redis')).toEqual(['redis']);
    expect(parseOnly('redis,everything')).toBeUndefined();
    expect(parseOnly('constructor')).toBeUndefined();
  });
});

describe('cached', () => {
  test('takes one reading for all who ask meanwhile and shortly after', async () => {
    let taken = 0;
    const read = cached(async () => ++taken, 60_000);
    expect(await Promise.all([read(), read()])).toEqual([1, 1]);
    expect(await read()).toBe(1);
  });

  test('asks again after a failure, and when the reading is old', async () => {
    let taken = 0;
    const read = cached(async () => {
      taken += 1;
      if (taken === 1) throw new Error('away');
      return taken;
    }, 0);
    await expect(read()).rejects.toThrow('away');
    expect(await read()).toBe(2);
  });
});
