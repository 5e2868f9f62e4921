// What a handler returned or threw, as one value: which of it spends an attempt, waits, or fails for good.
import { describe, expect, test } from '@jest/globals';
import { done, superseded, waiting } from '../../src/domains/outcome.ts';
import {
  type Code,
  CodedError,
  codes,
  PermanentError,
  RateLimitedError,
  TransientError,
  UnavailableError,
} from '../../src/errors.ts';
import { verdictOfError, verdictOfOutcome } from '../../src/queue/verdict.ts';

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
    const error = new PermanentError('runcloud-forbidden', 'not you');
    expect(verdictOfError(error, policy, first)).toMatchObject({
      kind: 'failed',
      code: 'runcloud-forbidden',
    });
  });

  describe('that was no fault of the job spends no attempt, even the last: it looks again in a second, when', () => {
    const outage = new TransientError('runcloud-unknown-result', 'HTTP 503');
    outage.attemptSpent = false;
    test.each([
      ['RunCloud says slow down, however long', new RateLimitedError('slow down', 7000)],
      ['RunCloud says slow down, and not for how long', new RateLimitedError('slow down')],
      ['RunCloud refuses the credentials', new UnavailableError('runcloud-unauthorized', 'who are you')],
      ['RunCloud is down for everybody', outage],
    ])('%s', (_, error) => {
      for (const moment of [first, last]) {
        expect(verdictOfError(error, policy, moment)).toEqual({
          kind: 'waiting',
          sentence: error.message,
          code: error.code,
          error: undefined,
          delayMs: 1000,
          nextRunAt: 51_000,
        });
      }
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
