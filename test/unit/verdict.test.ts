// What a handler returned or threw, as one value: which of it spends an attempt, waits, or fails for good.
import { describe, expect, test } from '@jest/globals';
import {
  type Code,
  CodedError,
  codes,
  PermanentError,
  RateLimitedError,
  TransientError,
} from '../../src/errors.ts';
import { done, superseded, waiting } from '../../src/outcome.ts';
import { rateLimitDelayMs, verdictOfError, verdictOfOutcome } from '../../src/queue/verdict.ts';

const policy = { attempts: 3, backoffMs: 100, backoffMaxMs: 1000 };
const first = { attemptsMade: 1, nowMs: 50_000, random: 0 };
const last = { ...first, attemptsMade: 3 };

describe('an outcome', () => {
  test('that is done or superseded stays as it is', () => {
    expect(verdictOfOutcome(done('so it is'), 5)).toEqual({ kind: 'done', sentence: 'so it is' });
    expect(verdictOfOutcome(superseded('newer'), 5)).toEqual({ kind: 'superseded', sentence: 'newer' });
  });

  test('that waits says when it looks again', () => {
    expect(verdictOfOutcome(waiting('not yet', 300), 1000)).toEqual({
      kind: 'waiting',
      sentence: 'not yet',
      delayMs: 300,
      nextRunAt: 1300,
    });
  });
});

describe('an error', () => {
  test('that may pass is tried again by the policy', () => {
    const error = new TransientError('runcloud-unreachable', 'no route');
    expect(verdictOfError(error, policy, first)).toEqual({
      kind: 'retry',
      sentence: 'no route',
      code: 'runcloud-unreachable',
      error: undefined,
      delayMs: 100,
      nextRunAt: 50_100,
    });
  });

  test('that may pass fails when the budget is spent', () => {
    const error = new TransientError('runcloud-unreachable', 'no route');
    expect(verdictOfError(error, policy, last)).toMatchObject({
      kind: 'failed',
      sentence: 'no route',
      code: 'runcloud-unreachable',
    });
  });

  test('that cannot heal fails at the first try', () => {
    const error = new PermanentError('runcloud-unauthorized', 'who are you');
    expect(verdictOfError(error, policy, first)).toMatchObject({
      kind: 'failed',
      code: 'runcloud-unauthorized',
    });
  });

  test('of the rate limit waits as long as RunCloud asks for, even with the budget spent', () => {
    expect(verdictOfError(new RateLimitedError('slow down', 7000), policy, last)).toEqual({
      kind: 'waiting',
      sentence: 'slow down',
      code: 'runcloud-rate-limited',
      delayMs: 7000,
      nextRunAt: 57_000,
    });
  });

  test('that nobody foresaw is retried, named unexpected, and keeps its stack for the log', () => {
    const bug = new TypeError('x is not a function');
    expect(verdictOfError(bug, policy, first)).toMatchObject({
      kind: 'retry',
      code: 'unexpected',
      sentence: 'x is not a function',
      error: bug,
    });
  });

  test.each([['a text'], [null], [undefined], [42]])(
    'that is no error at all (%p) is retried like a bug',
    (thrown) => {
      expect(verdictOfError(thrown, policy, first)).toMatchObject({ kind: 'retry', code: 'unexpected' });
    },
  );

  test.each(Object.keys(codes) as Code[])('keeps its code %s', (code) => {
    expect(verdictOfError(new CodedError(code, 'why'), policy, first)).toMatchObject({ code });
  });
});

describe('the wait after a 429', () => {
  test.each([
    ['is half a minute where RunCloud names none', undefined, 30_000],
    ['is what RunCloud names', 12_000, 12_000],
    ['is at least a second', 0, 1000],
    ['is never negative', -5, 1000],
    ['is at most a quarter of an hour', 86_400_000, 900_000],
  ])('%s', (_, retryAfterMs, delayMs) => {
    expect(rateLimitDelayMs(retryAfterMs)).toBe(delayMs);
  });
});
