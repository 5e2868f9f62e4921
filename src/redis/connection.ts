// Connections to Redis, and the checks of its server. The only place that opens connections.
import { Redis, type RedisOptions } from 'ioredis';
import { within } from '../deadline.ts';
import { CodedError, reasonOf } from '../errors.ts';
import { explainHandshake } from './tls-errors.ts';

/**
 * `worker`: waits for Redis as long as it takes, and is back within 2 s of its return (BullMQ's own strategy waits up to 20 s).
 * `producer`: never queues a command and never sends it twice. A request that its caller has given up must not run later.
 */
export type RedisRole = 'worker' | 'producer';

/** How long a producer waits for an answer. */
export const PRODUCER_DEADLINE_MS = 1000;

/**
 * A connection without an answer for so long is dead, though nobody has closed it (a frozen primary, a balancer without its
 * backend). It is closed, and a new one is opened. An idle connection stays. BullMQ's worker blocks for 10 s at most.
 */
const WORKER_SILENCE_MS = 12_000;
const PRODUCER_SILENCE_MS = 2_000;

type RoleOptions = Pick<
  RedisOptions,
  | 'autoResendUnfulfilledCommands'
  | 'commandTimeout'
  | 'disconnectTimeout'
  | 'enableOfflineQueue'
  | 'maxRetriesPerRequest'
  | 'socketTimeout'
>;

const toRoleOptions = (role: RedisRole, deadlineMs: number): RoleOptions =>
  role === 'worker'
    ? { maxRetriesPerRequest: null, socketTimeout: WORKER_SILENCE_MS }
    : {
        maxRetriesPerRequest: 1,
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        disconnectTimeout: 100,
        commandTimeout: deadlineMs,
        socketTimeout: Math.max(PRODUCER_SILENCE_MS, deadlineMs),
      };

/** What was wrong with a connection, for the log. */
export function toRedisReason(error: Error): string {
  const { message } = error;
  const [, silentMs] = /^Socket timeout\b.*?(\d{1,9})ms/.exec(message) ?? [];
  if (silentMs === undefined) return explainHandshake(error) ?? message;
  return `no answer for ${Number(silentMs) / 1000} s; connecting again`;
}

export interface RedisAddress {
  readonly url: string;
  /** PEM: who may sign Redis' certificate, in place of the usual authorities. Only `rediss://` has one. */
  readonly ca?: string | undefined;
}

// The last error while there is no connection: it explains a wait that ends without one.
const troubles = new WeakMap<Redis, Error>();

export function createRedis(
  { url, ca }: RedisAddress,
  role: RedisRole,
  onError: (error: Error) => void,
  deadlineMs = PRODUCER_DEADLINE_MS,
): Redis {
  assertReadable(url);
  const redis = new Redis(url, {
    ...toRoleOptions(role, deadlineMs),
    ...(ca !== undefined && url.startsWith('rediss:') && { tls: { ca } }),
    connectionName: `runcloud-domains-${role}`,
    retryStrategy: (times) => Math.min(times * 200, 2000),
    // After a failover the old primary answers READONLY; a new connection finds the new one.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  });
  // BullMQ's queue, worker and every request that waits for the connection listen on it: no leak, however many.
  // (Not by 0: BullMQ adds 3 to the number that it finds, and would make 3 of it.)
  redis.setMaxListeners(Number.POSITIVE_INFINITY);
  keepListening(redis);
  redis.on('ready', () => troubles.delete(redis));
  redis.on('error', (error: Error) => {
    troubles.set(redis, error);
    onError(error);
  });
  return redis;
}

/**
 * ioredis listens to one error of a socket. A TLS socket that is closed during its handshake may
 * emit two: the certificate's, then the server's answer to the early end. The second one, without
 * a listener, would end the process.
 */
function keepListening(redis: Redis): void {
  redis.on('connecting', () => {
    // The socket is made in the ticks after this event.
    setImmediate(() => redis.stream?.on('error', () => undefined));
  });
}

/** ioredis' own error would repeat the address, and with it the password. */
function assertReadable(url: string): void {
  try {
    const { username, password } = new URL(url);
    decodeURIComponent(username + password);
  } catch {
    throw new TypeError(
      'the address of Redis cannot be read: percent-encode what is special in its user and password, as %25 for "%"',
    );
  }
}

const NO_PERMISSION = /\bNOPERM\b|no permissions|ACL failure|executing the script can't/i;

/** Redis' answer to a user without a right, as an error with a fix; undefined for every other error. */
export function toMissingRight(cause: unknown): CodedError | undefined {
  const message = reasonOf(cause);
  if (!NO_PERMISSION.test(message)) return undefined;
  const fix = 'give the user in REDIS_URL that right; docs/guides/security.md has the ACL lines';
  const sentence = `Redis denies a right to the user of REDIS_URL (${message.slice(0, 200)}): ${fix}`;
  return new CodedError('redis-no-permission', sentence, { cause });
}

/**
 * Waits until `redis` can take commands. Throws CodedError: `redis-unavailable` after `withinMs`, `redis-no-permission` if its user
 * may not use the database.
 */
export async function untilReady(redis: Redis, withinMs: number): Promise<void> {
  if (redis.status !== 'ready') await untilConnected(redis, withinMs);
  await assertDatabase(redis);
}

// ioredis only reports a database that does not exist, and goes on in database 0, perhaps in another program's queue.
const checked = new WeakSet<Redis>();
async function assertDatabase(redis: Redis): Promise<void> {
  const database = redis.options.db ?? 0;
  if (database === 0 || checked.has(redis)) return;
  try {
    await redis.select(database);
    checked.add(redis);
  } catch (error) {
    const missingRight = toMissingRight(error);
    if (missingRight) throw missingRight;
    const sentence = `Redis rejected database ${database}, which REDIS_URL ends in (${reasonOf(error)})`;
    throw new CodedError('redis-unavailable', sentence, { cause: error });
  }
}

async function untilConnected(redis: Redis, withinMs: number): Promise<void> {
  let onReady: () => void = () => undefined;
  let lastError: Error | undefined;
  const onError = (error: Error): void => {
    lastError = error;
  };
  const ready = new Promise<boolean>((resolve) => {
    onReady = () => resolve(true);
    redis.once('ready', onReady);
    redis.on('error', onError);
  });
  const isReady = await within(ready, withinMs, false);
  redis.off('ready', onReady);
  redis.off('error', onError);
  if (!isReady) throw redisUnavailable(lastError, withinMs, redis);
}

/** `cause` undefined: nothing came in time. Then the last error of the connection is the reason, if there is one. */
export const redisUnavailable = (given: unknown, withinMs: number, redis?: Redis): CodedError => {
  const cause = given ?? (redis && troubles.get(redis));
  const handshake = explainHandshake(cause);
  if (handshake !== undefined) return new CodedError('redis-unavailable', handshake, { cause });
  if (/^(NOAUTH|WRONGPASS|ERR AUTH)/.test(reasonOf(cause))) {
    return new CodedError(
      'redis-unavailable',
      'Redis rejected the login: put the right user and password into REDIS_URL',
      { cause },
    );
  }
  const reason = cause === undefined ? '' : ` (${reasonOf(cause)})`;
  return new CodedError('redis-unavailable', `Redis did not answer within ${withinMs} ms${reason}`, {
    cause,
  });
};

/** What matters of a Redis server; a field is undefined if its user may not read it. */
export interface RedisFacts {
  readonly version: string | undefined;
  readonly maxMemory: number | undefined;
  readonly evictionPolicy: string | undefined;
  readonly appendOnly: boolean | undefined;
}

/** Throws CodedError `redis-unavailable` if INFO is refused: BullMQ's worker would spin on that. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  let info: string;
  try {
    info = await redis.info();
  } catch (error) {
    const fix = 'give its user the INFO command (ACL: +info)';
    throw new CodedError('redis-unavailable', `Redis rejected INFO (${reasonOf(error)}): ${fix}`, {
      cause: error,
    });
  }
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  const maxMemory = field('maxmemory');
  const appendOnly = field('aof_enabled');
  return {
    version: field('redis_version') ?? field('valkey_version'),
    maxMemory: maxMemory === undefined ? undefined : Number(maxMemory),
    evictionPolicy: field('maxmemory_policy'),
    appendOnly: appendOnly === undefined ? undefined : appendOnly === '1',
  };
}

/**
 * Does what a worker does to `key`, one of our names without a value. Throws CodedError `redis-unavailable` if our user may not:
 * BullMQ's worker would retry without a pause.
 */
export async function probeRights(redis: Redis, key: string): Promise<void> {
  try {
    await redis.eval("return redis.call('DEL', KEYS[1])", 1, key);
    await redis.bzpopmin(key, 0.001);
  } catch (error) {
    if (!toMissingRight(error)) return;
    const fix = 'let its user use all keys that begin with QUEUE_PREFIX, and scripts and blocking commands';
    throw new CodedError(
      'redis-unavailable',
      `Redis denies a right to the user of REDIS_URL (${reasonOf(error)}): ${fix}`,
      {
        cause: error,
      },
    );
  }
}

export interface RedisFinding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly sentence: string;
}

/** Judges a server: `fail` means that jobs would be lost, or that the queue cannot run. Pure. */
export function judgeRedis({ version, maxMemory, evictionPolicy, appendOnly }: RedisFacts): RedisFinding[] {
  return [judgeVersion(version), judgeEviction(maxMemory, evictionPolicy), judgePersistence(appendOnly)];
}

function judgeVersion(version: string | undefined): RedisFinding {
  if (version === undefined)
    return { level: 'warn', sentence: 'Redis does not report its version. It must be 6.2 or newer.' };
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return { level: 'ok', sentence: `Redis ${version}` };
  return { level: 'fail', sentence: `Redis ${version} is too old. Install 6.2 or newer.` };
}

function judgeEviction(maxMemory: number | undefined, policy: string | undefined): RedisFinding {
  if (policy === 'noeviction') return { level: 'ok', sentence: 'maxmemory-policy is noeviction' };
  const fix = 'set `maxmemory-policy noeviction`';
  if (policy === undefined)
    return { level: 'warn', sentence: `Redis does not report its eviction policy: ${fix}` };
  if (!maxMemory)
    return {
      level: 'warn',
      sentence: `maxmemory-policy is ${policy} (no maxmemory is set, so nothing is evicted yet): ${fix}`,
    };
  return {
    level: 'fail',
    sentence: `maxmemory-policy is ${policy}: Redis would delete jobs. To prevent that, ${fix}`,
  };
}

const judgePersistence = (appendOnly: boolean | undefined): RedisFinding =>
  appendOnly
    ? {
        level: 'ok',
        sentence:
          'The append-only file is on. Check that Redis has `appendfsync always`. It does not report that.',
      }
    : {
        level: 'warn',
        sentence: 'The append-only file is off, so a crash of Redis loses requests. Set `appendonly yes`.',
      };
