import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { late, unlessAborted, withDeadline, within } from '../../src/deadline.ts';

describe('within', () => {
  test('gives the value where it comes in time', async () => {
    expect(await within(Promise.resolve('value'), 60_000, 'late')).toBe('value');
  });

  test('gives the fallback where it does not, and leaves no timer behind', async () => {
    expect(await within(new Promise(() => undefined), 1, 'late')).toBe('late');
  });

  test('passes an error', async () => {
    await expect(within(Promise.reject(new Error('no')), 60_000, 'late')).rejects.toThrow('no');
  });
});

describe('work that ignores its signal', () => {
  const never = new Promise<never>(() => undefined);

  test('ends at its deadline', async () => {
    await expect(withDeadline(10, undefined, () => never)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('ends when its caller stops it', async () => {
    const enough = new AbortController();
    const work = withDeadline(3_600_000, enough.signal, () => never);
    enough.abort();
    await expect(work).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('may return what it knows', async () => {
    const heeding = (ended: AbortSignal) =>
      sleep(3_600_000, undefined, { signal: ended }).catch(() => 'what it knows');
    expect(await withDeadline(10, undefined, heeding)).toBe('what it knows');
  });

  test('may fail afterwards: nobody is told', async () => {
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<never>((_resolve, reject) => (fail = reject));
    await expect(unlessAborted(work, AbortSignal.abort(), late)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    fail(new Error('too late'));
  });
});

describe('unlessAborted', () => {
  test('rejects with the reason of the signal', async () => {
    const reason = new Error('enough');
    await expect(unlessAborted(new Promise(() => undefined), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test('gives the value where nobody aborts, and keeps no listener', async () => {
    const controller = new AbortController();
    expect(await unlessAborted(Promise.resolve(1), controller.signal)).toBe(1);
    controller.abort();
  });
});
