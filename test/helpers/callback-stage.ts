// Callbacks without the rest: the store that writes the outbox, any number of workers that empty it, in a real Redis.
import type { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { type Callbacks, type CallbackTiming, createCallbacks } from '../../src/callbacks/callbacks.ts';
import { createDeliveries, type Deliveries, type Delivery } from '../../src/callbacks/deliveries.ts';
import { createCallbackQueue } from '../../src/callbacks/queue.ts';
import { parseDomainName } from '../../src/intent/domain-name.ts';
import type { DomainKey } from '../../src/intent/intent.ts';
import { createKeys, type Keys } from '../../src/intent/keys.ts';
import { createIntentStore, type IntentStore, type Settlement } from '../../src/intent/store.ts';
import { createLogger } from '../../src/logger.ts';
import { testRedis } from './redis.ts';
import { until } from './until.ts';
import { SECRET } from './webhook-receiver.ts';

export interface CallbackStage extends AsyncDisposable {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly store: IntentStore;
  /** The deliveries' own queue. */
  readonly queue: Queue;
  /** What the logger wrote. */
  readonly lines: string[];
  startCallbacks(options: StartOptions): Promise<Callbacks>;
  deliveries(...urls: string[]): Deliveries;
  /** A person asks for the domain; resolves with its job. */
  ask(domain: string, want?: 'present' | 'absent', siteId?: string): Promise<string>;
  /** The job ends, or looks on, so. */
  settle(domain: string, jobId: string, settlement: Partial<Settlement>): Promise<void>;
  /** Asks for the domain and settles it at once. */
  becomes(domain: string, settlement: Partial<Settlement>): Promise<string>;
  outbox(): Promise<number>;
  /** In how many milliseconds the delivery is tried again. */
  dueIn(deliveryId: string): Promise<number>;
  /** Resolves when a delivery stands so. */
  delivery(url: string, isSo: (delivery: Delivery) => boolean): Promise<Delivery>;
}

export interface StartOptions extends CallbackTiming {
  readonly urls: readonly string[];
  readonly secrets?: readonly string[];
  readonly scrub?: (text: string) => string;
}

export const keyOf = (domain: string): DomainKey => ({
  serverId: 1903,
  appId: 646,
  domain: parseDomainName(domain),
});

export async function createCallbackStage({ hasCallbacks = true } = {}): Promise<CallbackStage> {
  const releases = new AsyncDisposableStack();
  const corner = releases.use(await testRedis());
  const redis = new Redis(corner.url, { maxRetriesPerRequest: null });
  redis.setMaxListeners(0);
  redis.on('error', () => undefined);
  releases.defer(() => redis.disconnect());
  const keys = createKeys(corner.prefix, 'runcloud-domains');
  const store = createIntentStore({ redis, keys, hasCallbacks });
  const queue = createCallbackQueue(redis, corner.prefix);
  releases.defer(() => queue.close());
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = createLogger({ level: 'debug', format: 'json', secrets: [], destination: { write } });

  const stage: CallbackStage = {
    redis,
    keys,
    store,
    queue,
    lines,
    async startCallbacks({ urls, secrets = [SECRET], scrub = (text) => text, ...timing }) {
      const callbacks = createCallbacks({
        ...{ redis, queuePrefix: corner.prefix, keyOf: keys.own, urls, secrets, logger, scrub },
        onError: () => undefined,
        timing: { everyMs: 20, hurry: 500, ...timing },
      });
      releases.defer(() => callbacks.close(2_000));
      await callbacks.start();
      return callbacks;
    },
    deliveries: (...urls) => createDeliveries({ queue, urls }),
    async ask(domain, want = 'present', siteId) {
      const wish = want === 'absent' ? { want } : ({ want, www: false, redirection: 'none' } as const);
      const { jobId } = await store.request({ ...keyOf(domain), wish, siteId });
      await redis.hset(`${keys.queue}${jobId}`, 'name', 'add-domain');
      return jobId;
    },
    async settle(domain, jobId, settlement) {
      await store.settle(keyOf(domain), jobId, { state: 'settled', outcome: 'so it is', ...settlement });
    },
    async becomes(domain, settlement) {
      const jobId = await stage.ask(domain);
      await stage.settle(domain, jobId, settlement);
      return jobId;
    },
    outbox: () => redis.xlen(keys.outbox),
    async dueIn(deliveryId) {
      const score = await redis.zscore(`${corner.prefix}:runcloud-domains-callbacks:delayed`, deliveryId);
      return Math.floor(Number(score) / 4096) - Date.now();
    },
    delivery: (url, isSo) =>
      until(
        async () => (await stage.deliveries(url).list()).deliveries.find(isSo),
        'a delivery stands as wanted',
      ),
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
  return stage;
}
