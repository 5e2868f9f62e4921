// The server's three routes, by fastify itself.
import { describe, expect, test } from '@jest/globals';
import fastify from 'fastify';
import { createHealth } from '../../src/health/checks.ts';
import type { WorkerBeat } from '../../src/health/heartbeat.ts';
import type { Vitals } from '../../src/health/vitals.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { createHealthRoutes } from '../../src/server/health.ts';

const worker = {
  id: 'a1',
  host: 'inner-host',
  pid: 7,
  version: '1',
  startedAt: 1,
  running: 0,
  concurrency: 5,
};
const vitalsWith = (alive: WorkerBeat): Vitals => ({
  at: 1,
  counts: { waiting: 0, active: 0, delayed: 0, failed: 0, completed: 0 },
  oldestDueMs: 0,
  unavailable: undefined,
  lastSuccess: { reconcile: 1, monitor: 1 },
  workers: [alive],
  pauses: [],
  callbacks: undefined,
});
const away = (): Promise<Vitals> => Promise.reject(new Error('away'));

async function createServer(isGuarded = false, vitals = away) {
  const settings = { oldestDueMs: 1, reconcileIntervalMs: 1 };
  const server = fastify();
  await server.register(
    createHealthRoutes({
      health: createHealth({ version: '1', vitals, settings }),
      metrics: createMetrics({ version: '1', vitals }),
      ...(isGuarded && {
        access: async (
          _request: unknown,
          reply: { code(status: number): { send(body: unknown): unknown } },
        ) => {
          reply.code(401).send({ title: 'no token' });
        },
      }),
    }),
  );
  return server;
}

describe('the server', () => {
  test('is alive without Redis, and not ready', async () => {
    const server = await createServer();
    expect((await server.inject('/healthz')).json()).toMatchObject({ status: 'ok' });
    const ready = await server.inject('/readyz?only=redis');
    expect(ready.statusCode).toBe(503);
    expect(ready.headers['cache-control']).toBe('no-store');
    expect(ready.json().checks).toMatchObject([{ name: 'redis', ok: false, fix: expect.any(String) }]);
    expect((await server.inject('/readyz?only=all')).statusCode).toBe(400);
    expect((await server.inject('/readyz?only=redis&only=paused')).statusCode).toBe(400);
    const metrics = await server.inject('/metrics');
    expect(metrics.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(metrics.body).toContain('runcloud_domains_redis_up 0');
  });

  test('shows workers and their machines to a token, and none to health checks', async () => {
    const server = await createServer(false, async () => vitalsWith(worker));
    expect((await server.inject('/workers')).json()).toEqual({ workers: [worker] });
    expect((await server.inject('/readyz')).body).not.toContain(worker.host);
  });

  test('protects /metrics and /workers, and lets health checks without a token pass', async () => {
    const server = await createServer(true);
    expect((await server.inject('/metrics')).statusCode).toBe(401);
    expect((await server.inject('/metrics')).body).not.toContain('runcloud_domains');
    expect((await server.inject('/workers')).statusCode).toBe(401);
    expect((await server.inject('/healthz')).statusCode).toBe(200);
    expect((await server.inject('/readyz')).statusCode).toBe(503);
  });
});
