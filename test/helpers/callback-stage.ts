// Callbacks without the rest: the store that writes the outbox, any number of workers that empty it, in a real Redis.
import { Redis } from 'ioredis';
import { type Callbacks, type CallbackTiming, createCallbacks } from '../../src/callbacks/callbacks.ts';
import { createDeliveries, type Deliveries, type Delivery } from '../../src/callbacks/deliveries.ts';
import { toMessage } from '../../src/callbacks/message.ts';
import { sealedParts, targetOf, toDeliveryId } from '../../src/callbacks/queue.ts';
import { createDeliveryQueues, type DeliveryQueues } from '../../src/callbacks/queues.ts';
import { toTargets } from '../../src/callbacks/targets.ts';
import type { DomainKey } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { createSeals, toOutboxKeys } from '../../src/domains/outbox.ts';
import type { Report } from '../../src/domains/outcome.ts';
import { createDomainStore, type DomainStore, type Settlement } from '../../src/domains/store.ts';
import { createLogger } from '../../src/logger/logger.ts';
import { createKeys, type Keys } from '../../src/redis/keys.ts';
import { testRedis } from './redis.ts';
import { until } from './until.ts';
import { SECRET } from './webhook-receiver.ts';

/** What a run says; a test of callbacks may leave out why. */
export type Told = Partial<Omit<Settlement, 'report'>> & { readonly report?: Partial<Report> | undefined };

export interface CallbackStage extends AsyncDisposable {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly store: DomainStore;
  readonly prefix: string;
  /** The deliveries' own queues. */
  readonly queues: DeliveryQueues;
  /** The queue of one URL. */
  queueOf(url: string): ReturnType<DeliveryQueues['of']>;
  /** What the logger wrote. */
  readonly lines: string[];
  startCallbacks(options: StartOptions): Promise<Callbacks>;
  deliveries(...urls: string[]): Deliveries;
  /** Requests the domain; resolves with its job. */
  request(domain: string, presence?: 'present' | 'absent', siteId?: string): Promise<string>;
  /** Ends the job, or one attempt of it. */
  settle(domain: string, jobId: string, settlement: Told): Promise<void>;
  /** Requests the domain and settles it at once. */
  becomes(domain: string, settlement: Told): Promise<string>;
  /** Puts a delivery into the queue of its URL, as the dispatcher does. */
  plant(url: string, domain: string, options?: { timestamp?: number }): Promise<string>;
  outbox(): Promise<number>;
  /** In how many milliseconds the delivery is tried again. */
  dueIn(deliveryId: string): Promise<number>;
  /** Resolves with the first delivery that matches. */
  delivery(url: string, isSo: (delivery: Delivery) => boolean): Promise<Delivery>;
}

export interface StartOptions extends CallbackTiming {
  readonly urls: readonly string[];
  readonly secrets?: readonly string[];
  readonly scrub?: (text: string) => string;
  readonly onForged?: () => void;
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
  const store = createDomainStore({
    ...{ redis, keys },
    outboxKeys: hasCallbacks ? toOutboxKeys([SECRET]) : undefined,
  });
  const queues = createDeliveryQueues({ redis, queuePrefix: corner.prefix, keyOf: keys.own, targets: [] });
  releases.defer(() => queues.close());
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const logger = createLogger({ level: 'debug', format: 'json', secrets: [], destination: { write } });

  const stage: CallbackStage = {
    redis,
    keys,
    store,
    prefix: corner.prefix,
    queues,
    queueOf: (url) => queues.of([...toTargets([url]).keys()][0] ?? ''),
    lines,
    async startCallbacks({ urls, secrets = [SECRET], scrub = (text) => text, onForged, ...timing }) {
      const callbacks = createCallbacks({
        ...{ redis, queuePrefix: corner.prefix, keyOf: keys.own, urls, secrets, logger, scrub, onForged },
        onError: () => undefined,
        timing: { everyMs: 20, hurry: 500, ...timing },
      });
      releases.defer(() => callbacks.close(2_000));
      await callbacks.start();
      return callbacks;
    },
    deliveries: (...urls) => createDeliveries({ queues, urls }),
    async request(domain, presence = 'present', siteId) {
      const desired =
        presence === 'absent' ? { presence } : ({ presence, www: false, redirection: 'none' } as const);
      const { jobId } = await store.request({ ...keyOf(domain), desired, siteId });
      await redis.hset(`${keys.queue}${jobId}`, 'name', 'add-domain');
      return jobId;
    },
    async settle(domain, jobId, settlement) {
      await store.settle(keyOf(domain), jobId, {
        request: 'settled',
        outcome: 'so it is',
        ...(settlement as Partial<Settlement>),
      });
    },
    async becomes(domain, settlement) {
      const jobId = await stage.request(domain);
      await stage.settle(domain, jobId, settlement);
      return jobId;
    },
    async plant(url, domain, options = {}) {
      const at = options.timestamp ?? Date.now();
      const message = toMessage(
        { type: 'domain.live', at: String(at), domain, state: 'live' },
        (text) => text,
      );
      if (!message) throw new Error('no message');
      const { id: messageId, type, body } = message;
      const [target = ''] = toTargets([url]).keys();
      const jobId = toDeliveryId(messageId, target);
      const said = { messageId, target, domain, at, body };
      const data = { ...said, seal: createSeals([SECRET]).seal(sealedParts(type, said)) };
      await stage
        .queueOf(url)
        .add(type, data, { ...options, jobId, attempts: 1_000, backoff: { type: 'custom' } });
      return jobId;
    },
    outbox: () => redis.xlen(keys.outbox),
    async dueIn(deliveryId) {
      const score = await redis.zscore(queues.of(targetOf(deliveryId)).toKey('delayed'), deliveryId);
      return Math.floor(Number(score) / 4096) - Date.now();
    },
    delivery: (url, isSo) =>
      until(async () => (await stage.deliveries(url).list()).deliveries.find(isSo), 'a delivery matches'),
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
  return stage;
}
