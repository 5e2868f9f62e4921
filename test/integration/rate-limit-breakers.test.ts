// The brake's two breakers driven directly, several brakes on one Redis: an outage, refused credentials, and who may probe.
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
    for (let i = 0; i < times; i += 1) states.push(await the.report('down'));
    return states;
  };

  test('trips with the fifth failure in a row, and not before', async () => {
    const the = bench();
    expect(await fail(the, 5)).toEqual(['open', 'open', 'open', 'open', 'down']);
    expect(await the.brakes[1]?.hold(KEY)).toMatchObject({ kind: 'down' });
    expect(await the.released(10)).toBe(0);
  });

  test('a success in between starts the count anew', async () => {
    const the = bench();
    await fail(the, 4);
    await the.report('ok');
    expect(await fail(the, 4)).not.toContain('down');
    expect(await the.limiter.hold(KEY)).toBeUndefined();
  });

  test('of everybody who waits one probes; the probes become rarer, up to one a minute', async () => {
    const the = bench();
    await fail(the, 5);
    const waits = [5_000, 10_000, 20_000, 40_000, 60_000, 60_000];
    for (const wait of waits) {
      expect(await the.released(10)).toBe(0);
      expect((await the.limiter.hold(KEY))?.waitMs).toBe(wait);
      the.later(wait);
      expect(await the.released(10)).toBe(1);
      await the.report('down');
    }
  });

  test('a probe that the rate does not let through is not lost', async () => {
    const the = bench({ ratePerMinute: 1 });
    expect(await the.released(1)).toBe(1);
    await fail(the, 5);
    the.later(5_000);
    expect(await the.released(3)).toBe(0);
    the.later(55_000);
    expect(await the.released(3)).toBe(1);
  });

  test('any answer ends it: a success, a 429, a refusal of the credentials', async () => {
    for (const result of ['ok', 'closed', 'refused'] as const) {
      const the = bench();
      await fail(the, 5);
      await the.report(result);
      expect((await the.limiter.hold(KEY))?.kind).not.toBe('down');
    }
  });

  test('onlookers see it until a call has gone well, also while a probe is due', async () => {
    const the = bench();
    await fail(the, 5);
    the.later(5_000);
    expect(await the.limiter.hold(KEY)).toBeUndefined();
    expect(await the.limiter.status()).toMatchObject({ kind: 'down' });
    await the.report('ok');
    expect(await the.limiter.status()).toBeUndefined();
  });
});

describe('the breaker of refused credentials', () => {
  test('holds whoever has these credentials, and nobody else', async () => {
    const the = bench();
    await the.report('refused', { why: 'RunCloud refused the credentials' });
    expect(await the.brakes[1]?.hold(KEY)).toMatchObject({ kind: 'refused' });
    expect(await the.released(5)).toBe(0);
    expect(await the.limiter.hold('corrected')).toBeUndefined();
    expect(await the.released(5, 'corrected')).toBe(5);
    expect((await the.limiter.status())?.sentence).toContain('RunCloud refused the credentials');
  });

  test('lets one probe a minute through', async () => {
    const the = bench();
    await the.report('refused');
    the.later(59_999);
    expect(await the.released(5)).toBe(0);
    the.later(1);
    expect(await the.released(5)).toBe(1);
    expect(await the.released(5)).toBe(0);
  });

  test('only a success with the same credentials ends it', async () => {
    const the = bench();
    await the.report('refused');
    await the.limiter.report({ result: 'ok', fingerprint: 'corrected' });
    expect(await the.limiter.hold(KEY)).toMatchObject({ kind: 'refused' });
    await the.report('ok');
    expect(await the.limiter.hold(KEY)).toBeUndefined();
  });
});
