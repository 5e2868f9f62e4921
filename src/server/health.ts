// /healthz, /readyz, /workers and /metrics as a fastify plugin. The first two need no token, since
// health checks send none. So their answers name no machine.
import type { FastifyPluginAsync, onRequestAsyncHookHandler } from 'fastify';
import { type Health, parseOnly, unknownCheck } from '../health/checks.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { toVisible } from '../untrusted/visible-text.ts';

export interface HealthRoutesOptions {
  /** Removes secrets from the answer: the last of several nets. */
  readonly scrub?: (text: string) => string;
  readonly health: Health;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  /** Runs before /workers and /metrics; throws to refuse. */
  readonly access?: onRequestAsyncHookHandler | undefined;
}

interface Only {
  readonly Querystring: { readonly only?: string };
}

export function createHealthRoutes({
  health,
  metrics,
  access,
  scrub = (text) => text,
}: HealthRoutesOptions): FastifyPluginAsync {
  return async (server) => {
    server.addHook('onSend', async (_request, reply, payload) => {
      reply.header('cache-control', 'no-store');
      if (typeof payload !== 'string') return payload;
      // Prometheus' format has no such escapes, and contains no text that somebody else wrote.
      const isJson = String(reply.getHeader('content-type')).includes('json');
      return isJson ? toVisible(scrub(payload)) : scrub(payload);
    });
    server.get('/healthz', async () => health.alive());
    server.get<Only>('/readyz', async (request, reply) => {
      const { only: text } = request.query;
      const only = typeof text === 'string' || text === undefined ? parseOnly(text) : undefined;
      if (!only) return reply.code(400).send({ error: unknownCheck });
      const { ok, checks } = await health.ready(only);
      return reply.code(ok ? 200 : 503).send({ ok, checks });
    });
    const protectedRoute = { ...(access && { onRequest: access }) };
    server.get('/workers', protectedRoute, async () => ({ workers: (await health.vitals()).workers }));
    server.get('/metrics', protectedRoute, async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.text()),
    );
  };
}
