// The small HTTP port of a worker: /healthz, /readyz, /metrics, for probes and scrapers. It changes nothing.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { boundConnections } from '../listening/connections.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type Health, parseOnly, unknownCheck } from './checks.ts';

export interface HealthPort {
  readonly url: string;
  close(): Promise<void>;
}

export interface HealthPortOptions {
  readonly address: { readonly host: string; readonly port: number };
  readonly health: Health;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const json = (status: number, value: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: `${JSON.stringify(value)}\n`,
});

type Sources = Pick<HealthPortOptions, 'health' | 'metrics'>;

const routes: Readonly<Record<string, (sources: Sources, query: URLSearchParams) => Promise<Answer>>> = {
  '/healthz': async ({ health }) => json(200, health.alive()),
  '/readyz': async ({ health }, query) => {
    const only = parseOnly(query.get('only'));
    if (!only) return json(400, { error: unknownCheck });
    const readiness = await health.ready(only);
    return json(readiness.ok ? 200 : 503, readiness);
  },
  '/metrics': async ({ metrics }) => ({
    status: 200,
    type: metrics.contentType,
    body: await metrics.text(),
  }),
};

async function answer({ method, url = '/' }: IncomingMessage, sources: Sources): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'only GET' });
  const { pathname, searchParams } = new URL(url, 'http://worker');
  const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
  return route
    ? route(sources, searchParams)
    : json(404, { error: 'not found; routes: /healthz, /readyz, /metrics' });
}

/** Rejects where the address cannot be listened to. */
export async function openHealthPort({ address, ...sources }: HealthPortOptions): Promise<HealthPort> {
  const server = createServer({ connectionsCheckingInterval: 1_000 }, (request, response) => {
    answer(request, sources)
      .catch(() => json(400, { error: 'invalid request' }))
      .then((answered) => send(response, answered, request.method === 'HEAD'));
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  server.timeout = 30_000;
  boundConnections(server, { total: 50, perNetwork: 10 });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  });
  server.on('error', () => undefined);
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, { status, type, body }: Answer, isHead: boolean): void {
  const headers = { 'content-type': type, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  response.writeHead(status, headers).end(isHead ? undefined : body);
}
