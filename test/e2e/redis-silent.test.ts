// A connection to Redis that goes silent without closing, as when a primary freezes or a balancer has lost its backend: it is noticed and
// replaced, and says so. New connections work all the time.
import { expect, test } from '@jest/globals';
import { createProducerApp } from '../../src/app/app.ts';
import { parseConfig } from '../../src/config/load.ts';
import { hasCode } from '../../src/errors.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import { until } from '../helpers/until.ts';
import { PATIENCE_MS } from './processes.ts';
import { createWorld } from './world.ts';

const HANG_MS = 600_000;

test.concurrent(
  'a worker whose connections go silent goes on over new ones, and its log says what happened',
  async () => {
    await using world = await createWorld();
    await using proxy = await startTcpProxy(world.server.url);
    const worker = await world.startWorker({ REDIS_URL: proxy.url });
    await world.add('before.example.org');
    await until(() => world.names().includes('before.example.org'), 'the worker works', PATIENCE_MS);
    const frozen = proxy.freeze();
    await world.add('after.example.org');
    await until(() => world.names().includes('after.example.org'), 'the worker goes on', PATIENCE_MS);
    await until(() => proxy.abandoned() === frozen, 'all silent connections are closed', PATIENCE_MS);
    const said = worker.lines().filter(({ msg }) => /no answer for 12 s/.test(String(msg)));
    expect(said.length).toBeGreaterThanOrEqual(1);
    expect(said.length).toBeLessThanOrEqual(frozen);
    await world.verify();
  },
  HANG_MS,
);

test.concurrent(
  'a producer whose connection goes silent is refused at first, and then accepted over a new one',
  async () => {
    await using world = await createWorld();
    await using proxy = await startTcpProxy(world.server.url);
    const producer = createProducerApp(parseConfig({ ...world.env, REDIS_URL: proxy.url }).config);
    const add = (domain: string) => producer.requests.enqueue('add-domain', { domain });
    // On a machine that is busy for longer than a producer waits, it is sent again, as every caller is told to do.
    const taken = (domain: string) =>
      until(
        () =>
          add(domain).catch((error: unknown) => {
            if (hasCode(error, 'redis-unavailable')) return undefined;
            throw error;
          }),
        `${domain} is accepted`,
        PATIENCE_MS,
      );
    await taken('before.example.org');
    const frozen = proxy.freeze();
    await expect(add('refused.example.org')).rejects.toMatchObject({ code: 'redis-unavailable' });
    const accepted = await taken('after.example.org');
    expect(accepted.coalesced).toBe(false);
    expect(proxy.abandoned()).toBe(frozen);
    // What was given up did not run later.
    expect(await world.record('refused.example.org')).toBeUndefined();
    await producer.close();
  },
  HANG_MS,
);
