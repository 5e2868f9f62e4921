// What shows and steers the queue, from Redis alone; a worker has the same parts as who only enqueues. Part of the wiring (app.ts).
import type { Redis } from 'ioredis';
import { type Brake, createBrake } from '../brake/brake.ts';
import { countDeliveries, createCallbackQueue } from '../callbacks/queue.ts';
import { type Config, secretsOf } from '../config.ts';
import type { Ledger } from '../intent/ledger.ts';
import { createPauses, type Pauses } from '../intent/pauses.ts';
import { createScrub } from '../logger.ts';
import { createOperator, type Operator } from '../queue/operator.ts';
import type { RequestQueue } from '../queue/requests.ts';
import { createLedgerOf } from './handlers.ts';
import { createObservation, type Observation } from './observation.ts';
import { brakeOptions, defaultsOf, keysOf } from './settings.ts';

export interface Steering {
  readonly brake: Brake;
  readonly ledger: Ledger;
  readonly operator: Operator;
  readonly callbackQueue: ReturnType<typeof createCallbackQueue>;
  readonly pauses: Pauses;
  /** Made when first asked for. */
  observe(): Observation;
}

interface SteeringParts {
  readonly config: Config;
  readonly redis: Redis;
  readonly requests: RequestQueue;
}

export function createSteering({ config, redis, requests }: SteeringParts): Steering {
  const brake = createBrake({ ...brakeOptions(config), redis, key: requests.keyOf('brake') });
  const hold = brake.status;
  const ledger = createLedgerOf({ config, redis });
  const operator = createOperator({ requests, defaults: defaultsOf(config), hold, ledger });
  const callbackQueue = createCallbackQueue(redis, config.queuePrefix);
  const pauses = createPauses({ redis, keys: keysOf(config), scrub: createScrub(secretsOf(config)) });
  // Where nobody is to be told, there is nothing to count.
  const callbacks = config.callbacks.urls.length > 0 ? () => countDeliveries(callbackQueue) : undefined;
  const observed = { config, redis, requests, operator, hold, ledger, pauses, callbacks };
  let observation: Observation | undefined;
  return {
    brake,
    ledger,
    operator,
    callbackQueue,
    pauses,
    observe() {
      observation ??= createObservation(observed);
      return observation;
    },
  };
}
