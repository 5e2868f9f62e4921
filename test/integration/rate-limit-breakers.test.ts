// The two circuit breakers driven directly, several limiters on one Redis: an outage, refused credentials, and who makes the trial.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Bench, type Benches, type BenchOptions, createBenches, KEY } from '../helpers/limiter-bench.ts';

let benches: Benches;

beforeAll(async () => {
  benches = await createBenches();
});
afterAll(async () => {
  await benches[Symbol.asyncDispose]();
});

const bench = (options?: BenchOptions): Bench => benches.bench(options);

describe('the breaker of an outage', () => {
  const fail = async (the: Bench, times: number): Promise<string[]> => {
    const states: string[] = [];
    for (let i = 0; i < times; i += 1) states.push(await the.report('outage'));
    return states;
  };

  test('trips with the fifth failure in a row, and not before', async () => {
    const the = bench();
    expect(await fail(the, 5)).toEqual(['ok', 'ok', 'ok', 'ok', 'outage']);
    expect(await the.limiters[1]?.unavailable(KEY)).toMatchObject({ kind: 'outage' });
    expect(await the.released(10)).toBe(0);
  });

  test('a success in between starts the count again', async () => {
    const the = bench();
    await fail(the, 4);
    await the.report('ok');
    expect(await fail(the, 4)).not.toContain('outage');
    expect(await the.limiter.unavailable(KEY)).toBeUndefined();
  });

  test('of everybody who waits one makes a trial; trials become rarer, up to one a minute', async () => {
    const the = bench();
    await fail(the, 5);
    const waits = [5_000, 10_000, 20_000, 40_000, 60_000, 60_000];
    for (const wait of waits) {
      expect(await the.released(10)).toBe(0);
      expect((await the.limiter.unavailable(KEY))?.waitMs).toBe(wait);
      the.later(wait);
      expect(await the.released(10)).toBe(1);
      await the.report('outage');
    }
  });

  test('a trial that the rate does not let through is not lost', async () => {
    const the = bench({ ratePerMinute: 1 });
    expect(await the.released(1)).toBe(1);
    await fail(the, 5);
    the.later(5_000);
    expect(await the.released(3)).toBe(0);
    the.later(55_000);
    expect(await the.released(3)).toBe(1);
  });

  test('any answer ends it: a success, a 429, a refusal of the credentials', async () => {
    for (const result of ['ok', 'throttled', 'credentials'] as const) {
      const the = bench();
      await fail(the, 5);
      await the.report(result);
      expect((await the.limiter.unavailable(KEY))?.kind).not.toBe('outage');
    }
  });

  test('onlookers see it until a call has gone well, also while a trial is due', async () => {
    const the = bench();
    await fail(the, 5);
    the.later(5_000);
    expect(await the.limiter.unavailable(KEY)).toBeUndefined();
    expect(await the.limiter.status()).toMatchObject({ kind: 'outage' });
    await the.report('ok');
    expect(await the.limiter.status()).toBeUndefined();
  });
});

describe('the breaker of refused credentials', () => {
  test('stops whoever has these credentials, and nobody else', async () => {
    const the = bench();
    await the.report('credentials', { why: 'RunCloud refused the credentials' });
    expect(await the.limiters[1]?.unavailable(KEY)).toMatchObject({ kind: 'credentials' });
    expect(await the.released(5)).toBe(0);
    expect(await the.limiter.unavailable('corrected')).toBeUndefined();
    expect(await the.released(5, 'corrected')).toBe(5);
    expect((await the.limiter.status())?.sentence).toContain('RunCloud refused the credentials');
  });

  test('lets one trial a minute through', async () => {
    const the = bench();
    await the.report('credentials');
    the.later(59_999);
    expect(await the.released(5)).toBe(0);
    the.later(1);
    expect(await the.released(5)).toBe(1);
    expect(await the.released(5)).toBe(0);
  });

  test('only a success with the same credentials ends it', async () => {
    const the = bench();
    await the.report('credentials');
    await the.limiter.report({ result: 'ok', fingerprint: 'corrected' });
    expect(await the.limiter.unavailable(KEY)).toMatchObject({ kind: 'credentials' });
    await the.report('ok');
    expect(await the.limiter.unavailable(KEY)).toBeUndefined();
  });
});
