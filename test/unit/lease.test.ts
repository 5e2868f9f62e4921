// The lease with a store that we play and a clock that we move: who writes while, and until when.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { LEASE_MS, underLease } from '../../src/lease/lease.ts';
import type { WriteEnd } from '../../src/lease/writes.ts';
import type { CallOptions } from '../../src/runcloud/runcloud.ts';

const KEY = 'shop.example.org';
const JOB = 'shop.example.org_1903_646~7';
const WRITE = { key: KEY, jobId: JOB, kind: 'attach' } as const;
/** The lease is renewed several times over before it ends. */
const RENEWALS = 3;

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

interface FakeStore {
  readonly events: string[];
  readonly holders: Set<string>;
  begin: 'acquired' | 'superseded' | 'busy';
  renew: () => Promise<boolean>;
  beginWrite(
    key: string,
    jobId: string,
    lease: { holder: string },
  ): Promise<'acquired' | 'superseded' | 'busy'>;
  renewWrite(key: string, lease: { holder: string }): Promise<boolean>;
  endWrite(key: string, lease: { holder: string }, end: WriteEnd): Promise<number>;
}

function createFakeStore(): FakeStore {
  const events: string[] = [];
  const holders = new Set<string>();
  return {
    events,
    holders,
    begin: 'acquired',
    renew: async () => true,
    async beginWrite(key, jobId, { holder }) {
      events.push(`begin ${key} ${jobId}`);
      holders.add(holder);
      return this.begin;
    },
    async renewWrite(_, { holder }) {
      events.push('renew');
      holders.add(holder);
      return this.renew();
    },
    async endWrite(_, { holder }, end) {
      events.push(`end ${end.attachedId ?? '-'}`);
      holders.add(holder);
      return 4711;
    },
  };
}

/** A write that goes on until we say how it ends; it keeps what it was given to see by. */
function createWrite() {
  const { promise, resolve, reject } = Promise.withResolvers<{ id: number }>();
  const given: CallOptions[] = [];
  const write = (options: CallOptions): Promise<{ id: number }> => {
    given.push(options);
    return promise;
  };
  return {
    write,
    resolve,
    reject,
    calls: () => given.length,
    mayWrite: () => given[0]?.mayWrite?.(),
    aborted: () => given[0]?.signal?.aborted,
  };
}

const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

describe('a write under a lease', () => {
  test('is not even begun by a run that was given up', async () => {
    const store = createFakeStore();
    const { write, calls } = createWrite();
    const signal = AbortSignal.abort();
    await expect(underLease(store, WRITE, { signal }, write)).rejects.toThrow('Nothing was written');
    expect(store.events).toEqual([]);
    expect(calls()).toBe(0);
  });

  test('that does not heed its end has the lease no longer than its lease', async () => {
    const store = createFakeStore();
    const { write, mayWrite } = createWrite();
    const givenUp = new AbortController();
    void underLease(store, WRITE, { signal: givenUp.signal }, write);
    await pass(LEASE_MS);
    const renewals = store.events.length;
    expect(renewals).toBeGreaterThan(1);
    givenUp.abort();
    await pass(5 * LEASE_MS);
    expect(store.events.length).toBe(renewals);
    // What it sends now would go out without the right to.
    expect(await mayWrite()).toBe(false);
  });

  test('takes it, writes, gives it back with the id that RunCloud gave, and tells when', async () => {
    const store = createFakeStore();
    const write = { ...WRITE, toAttachedId: ({ id }: { id: number }) => id };
    const leased = await underLease(store, write, {}, async () => ({ id: 12 }));
    expect(leased).toEqual({ fate: 'written', value: { id: 12 }, at: 4711 });
    expect(store.events).toEqual([`begin ${KEY} ${JOB}`, 'end 12']);
    expect(store.holders.size).toBe(1);
    expect([...store.holders][0]).toContain(JOB);
  });

  test.each(['superseded', 'busy'] as const)('does not begin where the lease is %s', async (begin) => {
    const store = createFakeStore();
    store.begin = begin;
    const write = createWrite();
    expect(await underLease(store, WRITE, {}, write.write)).toEqual({ fate: begin });
    expect(write.calls()).toBe(0);
    expect(store.events).toEqual([`begin ${KEY} ${JOB}`]);
  });

  test('holds it as somebody else than any other run of the same job', async () => {
    const store = createFakeStore();
    for (const _ of [1, 2]) await underLease(store, WRITE, {}, async () => undefined);
    expect(store.holders.size).toBe(2);
  });

  test('gives the lease back where it fails, without an id, and rethrows the very error', async () => {
    const store = createFakeStore();
    const write = createWrite();
    const failure = new Error('HTTP 502');
    const running = underLease(
      store,
      { ...WRITE, toAttachedId: ({ id }: { id: number }) => id },
      {},
      write.write,
    );
    write.reject(failure);
    await expect(running).rejects.toBe(failure);
    expect(store.events).toEqual([`begin ${KEY} ${JOB}`, 'end -']);
  });

  test('does not renew the lease any more after its end', async () => {
    const store = createFakeStore();
    await underLease(store, WRITE, {}, async () => undefined);
    await expect(underLease(store, WRITE, {}, async () => Promise.reject(new Error('no')))).rejects.toThrow();
    await pass(2 * LEASE_MS);
    expect(store.events.filter((event) => event === 'renew')).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });

  test('passes on what else it was given, and the caller’s own signal still counts', async () => {
    const store = createFakeStore();
    const write = createWrite();
    const stop = new AbortController();
    const onCall = (): void => undefined;
    const given: CallOptions[] = [];
    const running = underLease(store, WRITE, { signal: stop.signal, onCall }, (options) => {
      given.push(options);
      return write.write(options);
    });
    await pass(0);
    expect(given[0]?.onCall).toBe(onCall);
    expect(write.aborted()).toBe(false);
    stop.abort();
    expect(write.aborted()).toBe(true);
    write.resolve({ id: 1 });
    await running;
  });
});

describe('a write that takes longer than the lease', () => {
  test('goes on, since the lease is renewed meanwhile', async () => {
    const store = createFakeStore();
    const write = createWrite();
    const running = underLease(store, WRITE, {}, write.write);
    for (let passed = 0; passed < 5 * LEASE_MS; passed += 500) {
      await pass(500);
      expect([await write.mayWrite(), write.aborted()]).toEqual([true, false]);
    }
    expect(store.events.filter((event) => event === 'renew').length).toBeGreaterThanOrEqual(5 * RENEWALS);
    write.resolve({ id: 1 });
    expect(await running).toMatchObject({ fate: 'written' });
    expect(store.holders.size).toBe(1);
  });

  test('is stopped at the first renewal that is refused: somebody else may keep the lease', async () => {
    const store = createFakeStore();
    store.renew = async () => false;
    const write = createWrite();
    const running = underLease(store, WRITE, {}, write.write);
    await pass(LEASE_MS / 2);
    expect(store.events).toContain('renew');
    expect([await write.mayWrite(), write.aborted()]).toEqual([false, true]);
    write.reject(new Error('aborted'));
    await expect(running).rejects.toThrow('aborted');
  });
});

describe('while Redis is away', () => {
  test.each([
    ['refuses each renewal', async (): Promise<boolean> => Promise.reject(new Error('ECONNREFUSED'))],
    ['answers no renewal', (): Promise<boolean> => new Promise(() => undefined)],
  ])(
    'and %s, what was sent may go on until shortly before the lease ends, then is stopped',
    async (_, renew) => {
      const store = createFakeStore();
      store.renew = renew;
      const write = createWrite();
      const running = underLease(store, WRITE, {}, write.write);
      await pass(LEASE_MS / 2);
      expect(write.aborted()).toBe(false);
      await pass(LEASE_MS / 2 - 1);
      // A moment before the lease ends in Redis, nothing may be sent any more, nor be under way.
      expect(await write.mayWrite()).toBe(false);
      expect(write.aborted()).toBe(true);
      write.reject(new Error('aborted'));
      await expect(running).rejects.toThrow('aborted');
    },
  );

  test('the write is stopped in time also where a timer fires a fraction of a millisecond early', async () => {
    const store = createFakeStore();
    const write = createWrite();
    let early = 0;
    const now = performance.now.bind(performance);
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() - early);
    const running = underLease(store, WRITE, {}, write.write);
    while (!store.events.includes('renew')) await pass(10);
    store.renew = async () => Promise.reject(new Error('ECONNREFUSED'));
    early = 0.8;
    await pass(LEASE_MS - 20);
    expect(write.aborted()).toBe(true);
    clock.mockRestore();
    write.reject(new Error('aborted'));
    await expect(running).rejects.toThrow('aborted');
  });

  test('nothing new is sent: nobody can say that the right still stands', async () => {
    const store = createFakeStore();
    store.renew = async () => Promise.reject(new Error('ECONNREFUSED'));
    const write = createWrite();
    const running = underLease(store, WRITE, {}, write.write);
    await pass(0);
    expect([await write.mayWrite(), write.aborted()]).toEqual([false, false]);
    write.resolve({ id: 1 });
    await running;
  });

  test('and back before the lease ends, the write goes on', async () => {
    const store = createFakeStore();
    const write = createWrite();
    let isAway = true;
    store.renew = async () => (isAway ? Promise.reject(new Error('ECONNREFUSED')) : true);
    const running = underLease(store, WRITE, {}, write.write);
    await pass(LEASE_MS / 2);
    isAway = false;
    await pass(LEASE_MS);
    expect([await write.mayWrite(), write.aborted()]).toEqual([true, false]);
    write.resolve({ id: 1 });
    await running;
  });
});

test('a process that was paused past its lease may not write when it wakes up, even before any timer ran', async () => {
  const store = createFakeStore();
  const write = createWrite();
  const running = underLease(store, WRITE, {}, write.write);
  await pass(0);
  expect(await write.mayWrite()).toBe(true);
  const asleep = performance.now() + LEASE_MS;
  const clock = jest.spyOn(performance, 'now').mockReturnValue(asleep);
  const before = store.events.length;
  expect(await write.mayWrite()).toBe(false);
  expect(store.events).toHaveLength(before);
  clock.mockRestore();
  write.resolve({ id: 1 });
  await running;
});

test('the lease counts from before Redis was asked for it, however late its answer came', async () => {
  const store = createFakeStore();
  const write = createWrite();
  const { promise: answer, resolve: answered } = Promise.withResolvers<'acquired'>();
  store.beginWrite = () => answer;
  const running = underLease(store, WRITE, {}, write.write);
  await pass(LEASE_MS);
  answered('acquired');
  await pass(0);
  expect(await write.mayWrite()).toBe(false);
  write.resolve({ id: 1 });
  await running;
});
