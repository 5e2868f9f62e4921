// When a job is given up: looks are counted, so the clock here is a fake one that goes from look to look.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type Bounds, createBound, type Excuses, StuckError, toBounds } from '../../src/queue/bound.ts';
import * as messages from '../../src/queue/messages.ts';

const BOUNDS: Bounds = { stillMs: 180_000, wholeMs: 3_600_000, tickMs: 1_000, graceMs: 1_000 };
const NONE: Excuses = { turnMs: () => 0, isRedisAway: () => false };

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

function begin(excuses: Partial<Excuses> = {}, stopped = new AbortController().signal) {
  const bound = createBound(BOUNDS, { ...NONE, ...excuses });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const seen: { value?: string; error?: Error } = {};
  bound.keep(promise, stopped).then(
    (value) => (seen.value = value),
    (error: Error) => (seen.error = error),
  );
  return { bound, seen, resolve, reject };
}

test('a job to which nothing comes back is given up after the bound, and its signal says so before', async () => {
  const { bound, seen } = begin();
  await pass(BOUNDS.stillMs - 1);
  expect(bound.signal.aborted).toBe(false);
  await pass(1);
  expect(bound.signal.aborted).toBe(true);
  expect(seen.error).toBeUndefined();
  await pass(BOUNDS.graceMs);
  expect(seen.error).toBeInstanceOf(StuckError);
  expect(seen.error).toMatchObject({ code: 'job-stuck', attemptSpent: true, mustAct: 'operator' });
  expect(seen.error?.message).toContain(messages.noReply(180_000));
});

test('one that ends when its signal says so is given up all the same, and what it achieved counts', async () => {
  const failing = begin();
  failing.bound.signal.addEventListener('abort', () =>
    failing.reject(new Error('the call was stopped by us')),
  );
  const achieving = begin();
  achieving.bound.signal.addEventListener('abort', () => achieving.resolve('written'));
  await pass(BOUNDS.stillMs);
  expect(failing.seen.error).toBeInstanceOf(StuckError);
  expect(achieving.seen.value).toBe('written');
});

test('one to which something comes back now and then goes on, for an hour at most', async () => {
  const { bound, seen } = begin();
  for (let i = 0; i < 59; i += 1) {
    await pass(60_000);
    bound.moved();
  }
  expect(bound.signal.aborted).toBe(false);
  await pass(60_000 + BOUNDS.graceMs);
  expect(seen.error?.message).toContain(messages.ranTooLong(3_600_000));
});

test('one that waits for its turn at the rate limiter, or for Redis, is not given up', async () => {
  const atLimiter = begin({ turnMs: () => BOUNDS.stillMs });
  const redisAway = begin({ isRedisAway: () => true });
  await pass(BOUNDS.stillMs * 3);
  expect(atLimiter.bound.signal.aborted).toBe(false);
  expect(redisAway.bound.signal.aborted).toBe(false);
});

test('short waits of others at the rate limiter are no excuse', async () => {
  const { bound } = begin({ turnMs: () => 25_000 });
  await pass(BOUNDS.stillMs);
  expect(bound.signal.aborted).toBe(true);
});

test('one that does not heed the stop of its worker is left to itself a moment later', async () => {
  const stopped = new AbortController();
  const { bound, seen } = begin({}, stopped.signal);
  stopped.abort('the worker is stopping');
  await pass(BOUNDS.graceMs);
  expect(seen.error?.message).toBe('The job was interrupted');
  expect(bound.signal.aborted).toBe(false);
});

test('one that ends by itself leaves no timer behind', async () => {
  const { resolve, seen } = begin();
  resolve('done');
  await pass(0);
  expect(seen.value).toBe('done');
  expect(jest.getTimerCount()).toBe(0);
});

test('the bound lies above two calls to RunCloud, however long they may take', () => {
  expect(toBounds(60_000).stillMs).toBe(180_000);
  expect(toBounds(600_000).stillMs).toBeGreaterThan(2 * 600_000);
});
