// A worker's signs of life: its heartbeat in Redis, and its small port where one is configured. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import type { Config } from '../config/load.ts';
import { within } from '../deadline.ts';
import { reasonOf } from '../errors.ts';
import { createHeartbeat } from '../health/heartbeat.ts';
import { openHealthPort } from '../health/port.ts';
import type { Logger } from '../logger/logger.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import { version } from '../version.ts';
import type { Observation } from './observation.ts';
import type { ObservedJobs } from './observed.ts';

export interface WorkerHealthParts {
  readonly config: Config;
  readonly redis: Redis;
  readonly requests: Pick<RequestQueue, 'keyOf'>;
  readonly logger: Logger;
  readonly observation: Observation;
  readonly jobs: ObservedJobs;
  readonly releases: AsyncDisposableStack;
}

export interface WorkerHealth {
  /** Called when the worker takes jobs. */
  start(): Promise<void>;
}

/** Call it before the worker's release is deferred: so it lives until the worker has stopped. */
export function createWorkerHealth(parts: WorkerHealthParts): WorkerHealth {
  const { config, redis, requests, logger, observation, jobs, releases } = parts;
  const { address, concurrency } = config.worker;
  const { keyOf } = requests;
  const heartbeat = createHeartbeat({ redis, keyOf, version, concurrency, activity: jobs.activity });
  let close: (() => Promise<void>) | undefined;
  let isStopped = false;
  const open = async (): Promise<void> => {
    if (!address || isStopped) return;
    try {
      const port = await openHealthPort({ address, ...observation });
      close = port.close;
      if (isStopped) return await close();
      logger.info({ event: 'health-port', url: port.url }, `health and metrics at ${port.url}`);
    } catch (error) {
      // Its jobs matter more: a worker without a port still tells of itself by its heartbeat.
      const text = `WORKER_ADDRESS ${address.host}:${address.port} cannot be listened to: ${reasonOf(error)}`;
      logger.error({ event: 'health-port-failed' }, text);
    }
  };
  const stop = async (): Promise<void> => {
    isStopped = true;
    await Promise.all([heartbeat.stop(), close?.()]);
  };
  releases.defer(() => within(stop(), 500, undefined));
  return {
    async start() {
      await heartbeat.start();
      await open();
    },
  };
}
