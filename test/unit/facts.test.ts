// The facts of a web application: how often RunCloud is called for them, and the result of a failed read.
import { describe, expect, test } from '@jest/globals';
import { PermanentError, TransientError, UnavailableError } from '../../src/errors.ts';
import { CallAbortedError, InterceptedError } from '../../src/runcloud/errors.ts';
import { createFacts } from '../../src/runcloud/facts.ts';
import type { FactsMemo, Known } from '../../src/runcloud/facts-memo.ts';
import type { RunCloud } from '../../src/runcloud/runcloud.ts';

const APP = { serverId: 1903, appId: 646 };

type Ask = Pick<RunCloud, 'getServer' | 'getSslMode'>;

/** A RunCloud that counts; `ask` may change while it runs. */
function createCounted(maxAgeMs?: number, memo?: FactsMemo) {
  const calls = { server: 0, mode: 0 };
  const ask = {
    server: async (): Promise<{ ipAddress: string | undefined }> => ({ ipAddress: '203.0.113.7' }),
    mode: async (): Promise<{ advanced: boolean; autoSsl?: boolean }> => ({ advanced: false }),
  };
  const runcloud = {
    getServer: () => {
      calls.server += 1;
      return ask.server();
    },
    getSslMode: () => {
      calls.mode += 1;
      return ask.mode();
    },
  } as unknown as Ask;
  return {
    calls,
    ask,
    facts: createFacts({ runcloud, ...(maxAgeMs !== undefined && { maxAgeMs }), ...(memo && { memo }) }),
  };
}

const down = async (): Promise<never> => {
  throw new TransientError('runcloud-unreachable', 'RunCloud is down');
};

const downForAll = async (): Promise<never> => {
  throw Object.assign(new TransientError('runcloud-unreachable', 'RunCloud is down'), {
    attemptSpent: false,
  });
};

describe('cached facts', () => {
  test('tells the address and the kind of SSL; what RunCloud leaves out of AutoSSL is off', async () => {
    const { facts } = createCounted();
    expect(await facts.cached(APP)).toEqual({ ipAddress: '203.0.113.7', advanced: false, autoSsl: false });
  });

  test('costs RunCloud nothing the second time', async () => {
    const { facts, calls } = createCounted();
    await facts.cached(APP);
    await facts.cached(APP);
    expect(calls).toEqual({ server: 1, mode: 1 });
  });

  test('is one read for all concurrent callers', async () => {
    const { facts, calls } = createCounted();
    await Promise.all([facts.cached(APP), facts.cached(APP), facts.cached(APP)]);
    expect(calls).toEqual({ server: 1, mode: 1 });
  });

  test('reads anew what has become too old', async () => {
    const { facts, calls } = createCounted(0);
    await facts.cached(APP);
    await facts.cached(APP);
    expect(calls).toEqual({ server: 2, mode: 2 });
  });

  test('of a second web application on the same server shares its address, not its kind of SSL', async () => {
    const { facts, calls, ask } = createCounted();
    await facts.cached(APP);
    ask.mode = async () => ({ advanced: true, autoSsl: true });
    expect(await facts.cached({ ...APP, appId: 647 })).toMatchObject({ advanced: true, autoSsl: true });
    expect(await facts.cached(APP)).toMatchObject({ advanced: false });
    expect(calls).toEqual({ server: 1, mode: 2 });
  });

  test.each(['server', 'mode'] as const)('whose read of the %s failed is read again', async (what) => {
    const { facts, ask, calls } = createCounted();
    const well = ask[what];
    Object.assign(ask, { [what]: down });
    await expect(facts.cached(APP)).rejects.toThrow('RunCloud is down');
    Object.assign(ask, { [what]: well });
    expect(await facts.cached(APP)).toMatchObject({ ipAddress: '203.0.113.7' });
    expect(calls[what]).toBe(2);
  });

  test('does without the address where the credentials may not read servers, and does not ask again', async () => {
    const { facts, ask, calls } = createCounted();
    ask.server = async () => {
      throw new PermanentError('runcloud-forbidden', 'no');
    };
    expect(await facts.cached(APP)).toMatchObject({ ipAddress: undefined, advanced: false });
    await facts.cached(APP);
    expect(calls.server).toBe(1);
  });
});

describe('a read before an order', () => {
  test('sees a change of the kind of SSL at once, and so does everybody after it', async () => {
    const { facts, ask, calls } = createCounted();
    await facts.cached(APP);
    ask.mode = async () => ({ advanced: true });
    expect(await facts.cached(APP)).toMatchObject({ advanced: false });
    expect(await facts.read(APP)).toMatchObject({ advanced: true, ipAddress: '203.0.113.7' });
    expect(await facts.cached(APP)).toMatchObject({ advanced: true });
    expect(calls).toEqual({ server: 1, mode: 2 });
  });

  test('that fails for this one route keeps the mode that was known', async () => {
    const { facts, ask, calls } = createCounted();
    ask.mode = async () => ({ advanced: true });
    await facts.cached(APP);
    ask.mode = async () => {
      throw new InterceptedError('a firewall answered', { operation: 'getSslMode', status: 403 });
    };
    expect(await facts.read(APP)).toMatchObject({ advanced: true });
    expect(await facts.cached(APP)).toMatchObject({ advanced: true });
    expect(calls.mode).toBe(2);
  });

  test.each<[string, () => Promise<never>]>([
    ['nothing was known of it', down],
    ['RunCloud is down for everybody', () => downForAll()],
    [
      'the credentials are refused',
      async () => Promise.reject(new UnavailableError('runcloud-unauthorized', 'no')),
    ],
    [
      'we stopped it ourselves',
      async () => Promise.reject(new CallAbortedError('stopped', { operation: 'getSslMode' }, false)),
    ],
  ])('that fails is an error where %s', async (why, fails) => {
    const { facts, ask } = createCounted();
    if (why !== 'nothing was known of it') await facts.cached(APP);
    ask.mode = fails;
    await expect(facts.read(APP)).rejects.toThrow();
  });

  test('two that fail together leave what is known', async () => {
    const { facts, ask, calls } = createCounted();
    await facts.cached(APP);
    ask.mode = downForAll;
    await Promise.allSettled([facts.read(APP), facts.read(APP)]);
    expect(await facts.cached(APP)).toMatchObject({ advanced: false });
    expect(calls.mode).toBe(3);
  });
});

describe('somebody who asks again', () => {
  /** A memo whose clock the test moves. */
  function createClocked() {
    let time = 1_000_000;
    const all = new Map<string, Known>();
    const turns = new Map<string, number>();
    const memo: FactsMemo = {
      now: async () => time,
      get: async (keys) => ({
        now: time,
        known: new Map([...all].filter(([key]) => keys.includes(key))),
      }),
      put: async (key, known) => void all.set(key, known),
      async lockRefresh(key, ms) {
        const ago = time - (turns.get(key) ?? 0);
        if (ago >= ms) turns.set(key, time);
        return ago >= ms ? 0 : Math.max(1, ago);
      },
    };
    return {
      memo,
      now: () => time,
      pass(ms: number): void {
        time += ms;
      },
    };
  }
  const MINUTE = 60_000;
  const moved = async () => ({ ipAddress: '198.51.100.1' });

  test('is judged by the address and the kind of SSL as they are now', async () => {
    const clock = createClocked();
    const { facts, ask, calls } = createCounted(undefined, clock.memo);
    await facts.cached({ ...APP, requestedAt: clock.now() });
    Object.assign(ask, { server: moved, mode: async () => ({ advanced: true }) });
    clock.pass(2 * MINUTE);
    expect(await facts.cached(APP)).toMatchObject({ ipAddress: '203.0.113.7', advanced: false });
    const again = { ...APP, requestedAt: clock.now() - 1 };
    expect(await facts.cached(again)).toMatchObject({ ipAddress: '198.51.100.1', advanced: true });
    await facts.cached(again);
    expect(calls).toEqual({ server: 2, mode: 2 });
  });

  test('costs two calls in a minute and web application, however many ask, and however often', async () => {
    const clock = createClocked();
    const { facts, calls } = createCounted(undefined, clock.memo);
    await facts.cached(APP);
    clock.pass(2 * MINUTE);
    const ask = () => facts.cached({ ...APP, requestedAt: clock.now() });
    await Promise.all(Array.from({ length: 100 }, ask));
    for (let i = 0; i < 59; i += 1) {
      clock.pass(1_000);
      await ask();
    }
    expect(calls).toEqual({ server: 2, mode: 2 });
    clock.pass(2_000);
    await ask();
    expect(calls).toEqual({ server: 3, mode: 3 });
  });

  test('within a minute of the last read is judged by that', async () => {
    const clock = createClocked();
    const { facts, calls } = createCounted(undefined, clock.memo);
    await facts.cached(APP);
    clock.pass(MINUTE);
    await facts.cached({ ...APP, requestedAt: clock.now() });
    expect(calls).toEqual({ server: 1, mode: 1 });
  });

  test('shares what another worker has read for him', async () => {
    const clock = createClocked();
    const [one, other] = [createCounted(undefined, clock.memo), createCounted(undefined, clock.memo)];
    await Promise.all([one.facts.cached(APP), other.facts.cached(APP)]);
    clock.pass(2 * MINUTE);
    one.ask.server = moved;
    other.ask.server = moved;
    const request = { ...APP, requestedAt: clock.now() };
    const found = await Promise.all([one.facts.cached(request), other.facts.cached(request)]);
    expect(found).toMatchObject([{ ipAddress: '198.51.100.1' }, { ipAddress: '198.51.100.1' }]);
    expect(one.calls.server + other.calls.server).toBe(3);
    expect(await other.facts.cached(APP)).toMatchObject({ ipAddress: '198.51.100.1' });
  });

  test.each(['server', 'mode'] as const)(
    'is judged by what is known where the %s cannot be read',
    async (what) => {
      const clock = createClocked();
      const { facts, ask, calls } = createCounted(undefined, clock.memo);
      await facts.cached(APP);
      clock.pass(2 * MINUTE);
      Object.assign(ask, { [what]: downForAll });
      const request = { ...APP, requestedAt: clock.now() };
      for (let i = 0; i < 3; i += 1)
        expect(await facts.cached(request)).toEqual({
          ipAddress: '203.0.113.7',
          advanced: false,
          autoSsl: false,
        });
      expect(calls[what]).toBe(2);
    },
  );

  test('for a redeploy has the address read again too; the kind of SSL is read in any case', async () => {
    const clock = createClocked();
    const { facts, ask, calls } = createCounted(undefined, clock.memo);
    await facts.cached(APP);
    clock.pass(2 * MINUTE);
    ask.server = moved;
    expect(await facts.read({ ...APP, requestedAt: clock.now() })).toMatchObject({
      ipAddress: '198.51.100.1',
    });
    expect(calls).toEqual({ server: 2, mode: 2 });
  });

  test('of a worker that has just begun is not judged by what others read long ago', async () => {
    const clock = createClocked();
    await createCounted(undefined, clock.memo).facts.cached(APP);
    clock.pass(2 * MINUTE);
    const { facts, ask } = createCounted(undefined, clock.memo);
    ask.server = moved;
    expect(await facts.cached(APP)).toMatchObject({ ipAddress: '198.51.100.1' });
  });

  test('that RunCloud does not know the server may have been one odd answer: it is read again after ten minutes', async () => {
    const clock = createClocked();
    const { facts, ask, calls } = createCounted(undefined, clock.memo);
    const well = ask.server;
    ask.server = async () => {
      throw new PermanentError('runcloud-not-found', 'no such server');
    };
    expect(await facts.cached(APP)).toMatchObject({ ipAddress: undefined });
    ask.server = well;
    clock.pass(9 * MINUTE);
    expect(await facts.cached(APP)).toMatchObject({ ipAddress: undefined });
    clock.pass(MINUTE);
    expect(await facts.cached(APP)).toMatchObject({ ipAddress: '203.0.113.7' });
    expect(calls).toEqual({ server: 2, mode: 1 });
  });
});

describe('what the list of certificates has proven', () => {
  test('counts more than what RunCloud’s own route answers', async () => {
    const { facts } = createCounted();
    expect(await facts.read(APP)).toMatchObject({ advanced: false });
    await facts.noteAdvanced(APP);
    expect(await facts.cached(APP)).toMatchObject({ advanced: true });
    expect(await facts.read(APP)).toMatchObject({ advanced: true });
    expect(await facts.read({ ...APP, appId: 647 })).toMatchObject({ advanced: false });
  });

  test('is forgotten with time, so that a switch back is noticed', async () => {
    const { facts } = createCounted(0);
    await facts.noteAdvanced(APP);
    expect(await facts.read(APP)).toMatchObject({ advanced: false });
  });
});
