// The client that puts requests straight into Redis: `runcloud-domains-client/queue`. The product's own producer is this one.
import { CodedError, hasCode } from '../errors.ts';
import type { JobName } from '../jobs/catalog.ts';
import { inTurns } from '../queue/in-turns.ts';
import { openDoor } from '../queue/producer.ts';
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
  /** `redis://` or `rediss://`. Default: `redis://127.0.0.1:6379`, where the field is left out; undefined is refused. */
  readonly redisUrl?: string | undefined;
  /** PEM: the authorities that may sign Redis' certificate, in place of the usual ones; for `rediss://`. */
  readonly redisCa?: string | undefined;
  /** QUEUE_PREFIX of the workers. Default: `bull`. */
  readonly queuePrefix?: string | undefined;
  /** The web application that is meant where a payload names none. Default: every payload must. */
  readonly serverId?: number | undefined;
  readonly appId?: number | undefined;
  /** TOP_LEVEL_DOMAINS of the workers. Default: `public`. */
  readonly topLevelDomains?: 'public' | 'test' | 'any' | undefined;
  /** How long a call waits for Redis, in milliseconds. Default: 1000. */
  readonly deadlineMs?: number | undefined;
}

/** A redeploy that is asked for waits for no delay (`atOnce`). */
const REDEPLOY_DELAY_MS = 0;

/** Every method validates before it touches Redis and answers within `deadlineMs`. Throws TypeError where an option is wrong. */
export function createQueueClient(options: QueueClientOptions = {}): DomainsClient {
  // The variable that was to hold it is not set: another Redis in its place would take the requests, and nobody would know.
  if ('redisUrl' in options && options.redisUrl === undefined)
    throw new TypeError('redisUrl must be an address, and is undefined: is the environment variable set?');
  const { redisUrl = 'redis://127.0.0.1:6379', redisCa: ca, queuePrefix = 'bull' } = options;
  const { serverId, appId, topLevelDomains, deadlineMs } = options;
  assertOptions({ ...options, redisUrl });
  const defaults = given({ serverId, appId, topLevelDomains });
  const address = { url: redisUrl, ca };
  const door = openDoor({ address, queuePrefix, defaults, redeployDelayMs: REDEPLOY_DELAY_MS, deadlineMs });
  // A worker writes it into the audit log: this Redis user need not be able to.
  const ask = async (name: JobName, payload: unknown, bulk = false): Promise<Receipt> => {
    const { for: _behalf, ...told } = await door.requests.enqueue(name, payload, { bulk });
    return told;
  };
  const addDomain = (payload: AddDomainPayload, { bulk }: RequestOptions = {}): Promise<Receipt> =>
    ask('add-domain', withoutAlso(payload), bulk);
  return {
    addDomain,
    addDomains: (payloads) => addAll(payloads, (payload) => addDomain(payload, { bulk: true })),
    removeDomain: (payload, { bulk } = {}) => ask('remove-domain', payload, bulk),
    redeploySsl: (payload = {}) => ask('redeploy-ssl', payload),
    close: () => door.close(),
  };
}

async function addAll(
  payloads: readonly AddDomainPayload[],
  add: (payload: AddDomainPayload) => Promise<Receipt>,
): Promise<AddResult[]> {
  // Once Redis has gone away, none is kept waiting for it again.
  let away: CodedError | undefined;
  return inTurns(payloads, async (payload): Promise<AddResult> => {
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

/** The server asks who names no web application; here nobody does, so that there is nothing to say. */
function withoutAlso(payload: AddDomainPayload): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
  const { also: _, ...rest } = payload;
  return rest;
}

const given = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
