// The queue of password checks: who is next, whoever else waits.
import { describe, expect, test } from '@jest/globals';
import { type Checks, createChecks } from '../../src/server/board/checks.ts';

/** Checks that end when the test says so; `order` has the addresses as they got their turns. */
function createBench(checks: Checks = createChecks()) {
  const order: string[] = [];
  const running: (() => void)[] = [];
  const enter = (address: string): Promise<string | undefined> =>
    checks.run(address, async () => {
      order.push(address);
      await new Promise<void>((resolve) => running.push(resolve));
      return address;
    });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  /** Ends the check that runs, until none is left. */
  const finish = async (times = Number.POSITIVE_INFINITY): Promise<void> => {
    for (let i = 0; i < times && running.length > 0; i += 1) {
      expect(running).toHaveLength(1); // one at a time
      running.pop()?.();
      await settle();
    }
  };
  return { checks, order, enter, finish };
}

const inNetwork = (network: number, host: number): string =>
  `2001:db8:${network.toString(16)}::${host.toString(16)}`;
const inBlock = (network: number): string => `2001:db8:7:${network.toString(16)}::1`;

describe('a network', () => {
  test('has three places in the queue at most, from any of its addresses', async () => {
    const { enter, finish } = createBench();
    const entered = Array.from({ length: 10 }, (_, host) => enter(inNetwork(1, host + 1)));
    await finish();
    expect((await Promise.all(entered)).filter((answer) => answer === undefined)).toHaveLength(6);
  });

  test('with many requests lets another one go next', async () => {
    const { enter, finish, order } = createBench();
    for (let host = 1; host <= 4; host += 1) void enter(inNetwork(1, host));
    const other = enter('192.0.2.7');
    await finish(2);
    expect(await other).toBe('192.0.2.7');
    expect(order.indexOf('192.0.2.7')).toBe(1);
    await finish();
  });
});

describe('many networks of one block', () => {
  test('cannot keep anybody else out of the queue, or from the next turn', async () => {
    const { enter, finish, order } = createBench();
    const entered = Array.from({ length: 60 }, (_, network) => enter(inBlock(network)));
    const others = ['192.0.2.7', '2001:db8:8::1', '::ffff:192.0.2.8'];
    const answers = others.map(enter);
    await finish();
    expect(await Promise.all(answers)).toEqual(others);
    for (const other of others) expect(order.indexOf(other)).toBeLessThan(2 * others.length + 1);
    expect((await Promise.all(entered)).filter((answer) => answer === undefined).length).toBeGreaterThan(40);
  });

  test('have turns among themselves', async () => {
    const { enter, finish, order } = createBench();
    for (const host of [1, 2, 3, 4]) void enter(`2001:db8:7:1::${host}`);
    void enter('2001:db8:7:2::1');
    await finish();
    expect(order.indexOf('2001:db8:7:2::1')).toBe(1);
  });
});

test('a check that fails gives the turn to the next', async () => {
  const checks = createChecks();
  const failed = checks.run('192.0.2.1', () => Promise.reject(new Error('away')));
  const next = checks.run('192.0.2.2', async () => 'done');
  await expect(failed).rejects.toThrow('away');
  expect(await next).toBe('done');
});

test('a server that stops checks no more', async () => {
  const { checks, enter, finish, order } = createBench();
  const [running, waiting] = [enter('192.0.2.1'), enter('192.0.2.2')];
  checks.close();
  expect(await waiting).toBeUndefined();
  expect(await enter('192.0.2.3')).toBeUndefined();
  await finish();
  expect([await running, order]).toEqual(['192.0.2.1', ['192.0.2.1']]);
});
