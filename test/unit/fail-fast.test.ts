// A deadline round what is asked of Redis: nothing begins after it, however deep it stands, and one PING serves all of one turn.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { byDeadline, failFast } from '../../src/queue/fail-fast.ts';

function createFake(pingMs: number): { redis: Redis; pings: () => number } {
  let pings = 0;
  const redis = {
    status: 'ready',
    options: { db: 0 },
    async ping() {
      pings += 1;
      await sleep(pingMs);
      return 'PONG';
    },
  };
  return { redis: redis as unknown as Redis, pings: () => pings };
}

const away = { code: 'redis-unavailable' };

test('what is asked within somebody’s deadline is not begun after it, though its own would allow that', async () => {
  const { redis } = createFake(40);
  let begun = false;
  const inner = () =>
    failFast(redis, 60_000, async () => {
      begun = true;
    });
  await expect(byDeadline(performance.now() + 20, inner)).rejects.toMatchObject(away);
  await sleep(60);
  expect(begun).toBe(false);
  await expect(byDeadline(performance.now() + 60_000, () => byDeadline(0, inner))).rejects.toMatchObject(
    away,
  );
  expect(begun).toBe(false);
  await byDeadline(performance.now() + 60_000, inner);
  expect(begun).toBe(true);
});

test('all that ask in one turn share a PING, and who asks later has one of his own', async () => {
  const { redis, pings } = createFake(20);
  const ask = () => failFast(redis, 60_000, async () => 'done');
  const first = Promise.all(Array.from({ length: 30 }, ask));
  await sleep(5);
  expect(pings()).toBe(1);
  await Promise.all([first, ask()]);
  expect(pings()).toBe(2);
});
