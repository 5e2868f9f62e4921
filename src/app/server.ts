// The HTTP server with everything it needs: the API, the board, health and metrics. Part of the wiring (app.ts).
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';
import { toTargets } from '../callbacks/targets.ts';
import { assertServable, type Config, secretsOf } from '../config/load.ts';
import { within } from '../deadline.ts';
import { createLogger, createScrub, type Logger, type Scrub } from '../logger/logger.ts';
import { oncePerSecond } from '../queue/worker.ts';
import { createRedis, toRedisReason, untilReady } from '../redis/connection.ts';
import { requireRole } from '../server/admission.ts';
import { createBoard } from '../server/board/board.ts';
import { createHealthRoutes } from '../server/health.ts';
import { createHttpServer, type HttpServerParts, type ServerPart } from '../server/server.ts';
import { createTracing } from '../tracing.ts';
import { version } from '../version.ts';
import { createProducerApp, type ProducerApp } from './producer.ts';
import { redisOf, toAuditLoss } from './settings.ts';

/** Longer than any request waits. */
const READY_MS = 1000;

/** How long a login at the board lasts without use. */
const BOARD_SESSION_MS = 12 * 3_600_000;

export interface ServerApp {
  readonly logger: Logger;
  /** Resolves with the server's own address once it listens, whether Redis is there or not: requests then say so. */
  start(): Promise<string>;
  /** Answers open requests, and takes nothing new. Safe to call twice; never takes longer than SHUTDOWN_TIMEOUT. */
  close(): Promise<void>;
}

export interface ServerOptions {
  /** More parts than the usual ones. */
  readonly register?: readonly ServerPart[];
  readonly onRoute?: HttpServerParts['onRoute'];
  readonly maxOpen?: HttpServerParts['maxOpen'];
  /** Default: the log's usual destination. */
  readonly logger?: Logger;
}

/** Throws ConfigError where the configuration would open it to everybody (`assertServable`). */
export function createServerApp(config: Config, options: ServerOptions = {}): ServerApp {
  assertServable(config);
  const secrets = secretsOf(config);
  const scrub = createScrub(secrets);
  const logger = options.logger ?? createLogger({ ...config.log, secrets });
  const releases = new AsyncDisposableStack();
  const { shutdownTimeoutMs } = config.worker;
  const tracing = createTracing({ endpoint: config.otlpEndpoint, version, role: 'server', scrub });
  releases.defer(() => tracing?.close(shutdownTimeoutMs * 0.05));
  const tell = oncePerSecond((text: string) => logger.error({ event: 'redis-error' }, text));
  const redis = createRedis(redisOf(config), 'producer', (error) => tell(`Redis: ${toRedisReason(error)}`));
  releases.defer(() => redis.disconnect());
  const producer = createProducerApp(config, {
    telemetry: tracing?.telemetry,
    onAuditLost: toAuditLoss(logger),
  });
  releases.defer(() => producer.close());

  const start = async (): Promise<string> => {
    const app = await createHttpServer({
      ...producer,
      callbacks: config.callbacks.urls.length > 0 ? producer.deliveries : undefined,
      redis,
      ready: () => Promise.all([producer.ready(), untilReady(redis, READY_MS)]),
      settings: config.server,
      logger,
      version,
      scrub,
      onRoute: options.onRoute,
      maxOpen: options.maxOpen,
      register: [...usualParts({ config, redis, producer, logger, scrub }), ...(options.register ?? [])],
    });
    releases.defer(async () => {
      await within(app.close(), shutdownTimeoutMs * 0.9, undefined);
      app.server.closeAllConnections();
    });
    await app.listen({ host: config.server.host, port: config.server.port });
    return toUrl(app.server.address() as AddressInfo);
  };
  return { logger, start, close: () => releases.disposeAsync() };
}

interface Parts {
  readonly config: Config;
  readonly redis: Redis;
  readonly producer: ProducerApp;
  readonly logger: Logger;
  readonly scrub: Scrub;
}

function usualParts({ config: { server, callbacks }, redis, producer, logger, scrub }: Parts): ServerPart[] {
  const { requests, operator, audit, deliveryQueues } = producer;
  const board = createBoard({
    queue: requests.queue,
    callbackQueues: [...toTargets(callbacks.urls).values()].map(({ id, shown }) => ({
      queue: deliveryQueues.of(id),
      shown,
    })),
    operator,
    users: server.boardUsers,
    sessionMs: BOARD_SESSION_MS,
    ratePerMinute: server.ratePerMinute,
    secureCookies: server.trustProxy,
    redis,
    keyOf: requests.keyOf,
    audit,
    logger,
    scrub,
  });
  const health = createHealthRoutes({ ...producer.observe(), access: requireRole('read'), scrub });
  return [board, health];
}

const toUrl = ({ address, family, port }: AddressInfo): string =>
  `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
