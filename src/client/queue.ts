// The client that writes requests directly into Redis: `runcloud-domains-client/queue`. The
// product's own producer is this client.
import { CodedError, hasCode } from '../errors.ts';
import type { JobName } from '../jobs/catalog.ts';
import { inOrder } from '../queue/in-order.ts';
import { openProducerConnection } from '../queue/producer.ts';
import type { AddDomainPayload, AddResult, DomainsClient, Receipt, RequestOptions } from './client.ts';

export { CodedError, DomainsError, type ErrorCode, PermanentError } from '../errors.ts';
export type {
  AddDomainPayload,
  AddResult,
  DomainsClient,
  Receipt,
  RedeploySslPayload,
  RemoveDomainPayload,
  RequestOptions,
} from './client.ts';

export interface QueueClientOptions {
  /**
   * `redis://` or `rediss://`. Default without the field: `redis://127.0.0.1:6379`. Undefined is an
   * error.
   */
  readonly redisUrl?: string | undefined;
  /** PEM, for `rediss://`: the authorities of Redis' certificate, in place of the system's. */
  readonly redisCa?: string | undefined;
  /** QUEUE_PREFIX of the workers. Default: `bull`. */
  readonly queuePrefix?: string | undefined;
  /** The web application of payloads that name none. Default: every payload must name one. */
  readonly serverId?: number | undefined;
  readonly appId?: number | undefined;
  /** TOP_LEVEL_DOMAINS of the workers. Default: `public`. */
  readonly topLevelDomains?: 'public' | 'test' | 'any' | undefined;
  /** The longest wait for Redis, in milliseconds. Default: 1000. */
  readonly deadlineMs?: number | undefined;
}

/**
 * Every method validates before it uses Redis, and settles within `deadlineMs`. Throws TypeError
 * for a wrong option.
 */
export function createQueueClient(options: QueueClientOptions = {}): DomainsClient {
  // Its variable is not set. With the default, another Redis might get the requests, and nobody
  // would notice.
  if ('redisUrl' in options && options.redisUrl === undefined)
    throw new TypeError('redisUrl must be an address, but is undefined. Is the environment variable set?');
  const { redisUrl = 'redis://127.0.0.1:6379', redisCa: ca, queuePrefix = 'bull' } = options;
  const { serverId, appId, topLevelDomains, deadlineMs } = options;
  assertOptions({ ...options, redisUrl });
  const defaults = given({ serverId, appId, topLevelDomains });
  const address = { url: redisUrl, ca };
  const producer = openProducerConnection({ address, queuePrefix, defaults, deadlineMs });
  // A worker writes the audit log: this Redis user needs no right for it.
  const enqueue = async (name: JobName, payload: unknown, bulk = false): Promise<Receipt> => {
    const { for: _behalf, ...receipt } = await producer.requests.enqueue(name, payload, { bulk });
    return receipt;
  };
  const addDomain = (payload: AddDomainPayload, { bulk }: RequestOptions = {}): Promise<Receipt> =>
    enqueue('add-domain', withoutAlso(payload), bulk);
  return {
    addDomain,
    addDomains: (payloads) => addAll(payloads, (payload) => addDomain(payload, { bulk: true })),
    removeDomain: (payload, { bulk } = {}) => enqueue('remove-domain', payload, bulk),
    redeploySsl: (payload = {}) => enqueue('redeploy-ssl', payload),
    close: () => producer.close(),
  };
}

async function addAll(
  payloads: readonly AddDomainPayload[],
  add: (payload: AddDomainPayload) => Promise<Receipt>,
): Promise<AddResult[]> {
  // After the first error of Redis no other request waits for it.
  let away: CodedError | undefined;
  return inOrder(payloads, async (payload): Promise<AddResult> => {
    if (away) return { accepted: false, error: away };
    try {
      return { accepted: true, receipt: await add(payload) };
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      if (hasCode(error, 'redis-unavailable', 'redis-no-permission')) away ??= error;
      return { accepted: false, error };
    }
  });
}

function assertOptions({ redisUrl, serverId, appId, deadlineMs = 1 }: QueueClientOptions): void {
  // ioredis takes anything else for the path of a socket.
  if (!/^rediss?:\/\/./.test(redisUrl ?? ''))
    throw new TypeError('redisUrl must begin with redis:// or rediss://');
  for (const [name, id] of Object.entries({ serverId, appId }))
    if (id !== undefined && !(Number.isSafeInteger(id) && id > 0))
      throw new TypeError(`${name} must be RunCloud's numeric id, such as 1903`);
  if (!(Number.isFinite(deadlineMs) && deadlineMs > 0))
    throw new TypeError('deadlineMs must be a number of milliseconds above 0');
}

/** Only the HTTP API checks whether another web application has the domain. */
function withoutAlso(payload: AddDomainPayload): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
  const { also: _, ...rest } = payload;
  return rest;
}

const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
