// What shows and steers the queue, from Redis alone; a worker has the same parts as who only enqueues. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import { createDeliveryQueues, type DeliveryQueues } from '../callbacks/queues.ts';
import { toTargets } from '../callbacks/targets.ts';
import type { Ledger } from '../certificates/ledger.ts';
import { type Config, secretsOf } from '../config/load.ts';
import { createScrub } from '../logger/logger.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import { createOperator, type Operator } from '../queue/operator.ts';
import { createPauses, type Pauses } from '../queue/pauses.ts';
import { createRateLimiter, type RateLimiter } from '../rate-limit/limiter.ts';
import { createLedgerOf } from './handlers.ts';
import { createObservation, type Observation } from './observation.ts';
import { defaultsOf, keysOf, limiterOptions } from './settings.ts';
import type { Tuning } from './tuning.ts';

export interface Admin {
  readonly limiter: RateLimiter;
  readonly ledger: Ledger;
  readonly operator: Operator;
  /** One queue for each URL of callbacks. */
  readonly deliveryQueues: DeliveryQueues;
  readonly pauses: Pauses;
  /** Made at the first call. */
  observe(): Observation;
}

interface AdminParts {
  readonly config: Config;
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly tuning?: Pick<Tuning, 'limits' | 'throttledMs'> | undefined;
}

export function createAdmin({ config, redis, requests, tuning = {} }: AdminParts): Admin {
  const limiter = createRateLimiter({
    ...limiterOptions(config, tuning.throttledMs),
    redis,
    key: requests.keyOf('rate-limit'),
  });
  const unavailable = limiter.status;
  const ledger = createLedgerOf({ config, redis, limits: tuning.limits });
  const operator = createOperator({ requests, defaults: defaultsOf(config), unavailable, ledger });
  const { queuePrefix, callbacks: outside } = config;
  const targets = [...toTargets(outside.urls).keys()];
  const deliveryQueues = createDeliveryQueues({ redis, queuePrefix, keyOf: requests.keyOf, targets });
  const pauses = createPauses({ redis, keys: keysOf(config), scrub: createScrub(secretsOf(config)) });
  // Without callbacks there is nothing to count.
  const callbacks = targets.length > 0 ? deliveryQueues.counts : undefined;
  const observed = { config, redis, requests, operator, unavailable, ledger, pauses, callbacks };
  let observation: Observation | undefined;
  return {
    limiter,
    ledger,
    operator,
    deliveryQueues,
    pauses,
    observe() {
      observation ??= createObservation(observed);
      return observation;
    },
  };
}
