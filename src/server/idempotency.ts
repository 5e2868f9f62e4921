// Idempotency-Key: the answer to a request is stored for a day. A repetition gets the same answer,
// and nothing is done twice. A refusal is not stored: it changed nothing, and the caller may
// correct it under the same key. Limits per answer and per caller keep Redis from filling up.
import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Redis } from 'ioredis';
import { keyFormat, keyInFlight, keyMismatch, keyQuotaReached } from './messages.ts';
import { Refusal } from './problems.ts';

const KEPT_MS = 24 * 3600 * 1000;
/**
 * Of one answer, compressed; a batch of 1000 common names has 20 kB. A longer one is not stored.
 */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Longer than any answer of ours. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
/** Of all answers to one caller in a day. */
const MAX_BYTES_A_DAY = 16 * 1024 * 1024;
/** What Redis needs besides the answer itself. */
const OVERHEAD_BYTES = 300;

/** After a crash during a request its key is free again after this time. */
const CLAIM_MS = 60_000;

export interface StoredAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KeyedRequest {
  /** The name of the caller's token. Two tokens may use the same key. */
  readonly caller: string;
  readonly key: string;
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** As it was sent. */
  readonly body: string;
}

export interface Claim {
  /** Stores the answer. */
  keep(answer: StoredAnswer): Promise<void>;
  /** Frees the key. */
  release(): Promise<void>;
}

export interface Idempotency {
  /**
   * The stored answer, or the claim to give one. Throws Refusal: 409 in flight, 422 another
   * request.
   */
  claim(request: KeyedRequest): Promise<Claim | StoredAnswer>;
}

interface Entry {
  readonly request: string;
  readonly owner: string;
  /** JSON of a StoredAnswer: gzip, base64. */
  readonly answer?: string;
}

const pack = async (answer: StoredAnswer): Promise<string> =>
  (await promisify(gzip)(JSON.stringify(answer))).toString('base64');
const unpack = async (packed: string): Promise<StoredAnswer> => {
  const text = await promisify(gunzip)(Buffer.from(packed, 'base64'), {
    maxOutputLength: MAX_UNPACKED_BYTES,
  });
  return JSON.parse(String(text)) as StoredAnswer;
};

// KEYS: the claim; the bytes that were stored for its caller today.
// ARGV: owner, entry or '' (frees the key), a day in ms, bytes.
// Only the owner of the claim may change it. After CLAIM_MS another process may own it.
const IF_MINE = `
local found = redis.call('GET', KEYS[1])
if not found or cjson.decode(found).owner ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.call('INCRBY', KEYS[2], ARGV[4]) == tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1`;

const sha256 = (...parts: string[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex');
};

/** Throws Refusal if it is no key: 1 to 255 visible ASCII characters. */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw new Refusal('invalid-payload', `Idempotency-Key: ${keyFormat}`, {
    errors: [{ field: 'Idempotency-Key', message: keyFormat }],
  });
}

const inFlight = (): Refusal =>
  new Refusal('idempotency-in-flight', keyInFlight, { headers: { 'retry-after': '1' } });

const quotaReached = (waitMs: number): Refusal =>
  new Refusal('idempotency-full', keyQuotaReached, {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) },
  });

const mismatch = (): Refusal => new Refusal('idempotency-mismatch', keyMismatch);

/**
 * Answers that Redis could not store, kept in memory as long as their claims may be in Redis
 * without them.
 */
function createUnkept() {
  const answers = new Map<string, { readonly request: string; readonly answer: StoredAnswer }>();
  return {
    add(name: string, request: string, answer: StoredAnswer): void {
      answers.set(name, { request, answer });
      setTimeout(() => answers.delete(name), CLAIM_MS).unref();
    },
    find(name: string, request: string): StoredAnswer | undefined {
      const found = answers.get(name);
      if (found && found.request !== request) throw mismatch();
      return found?.answer;
    },
  };
}

export interface IdempotencyOptions {
  readonly redis: Redis;
  /** Prefix of the keys in Redis. */
  readonly prefix: string;
}

export function createIdempotency({ redis, prefix }: IdempotencyOptions): Idempotency {
  const me = randomUUID();
  // The requests that this process runs. An own claim that is not among them was left while Redis
  // was away.
  const busy = new Set<string>();
  const unkept = createUnkept();
  const take = async ({ name, day, request, owner }: ClaimEntry): Promise<StoredAnswer | undefined> => {
    const claim = JSON.stringify({ request, owner } satisfies Entry);
    const [found, spent] = await redis.mget(name, day);
    if (!found) {
      if (Number(spent) >= MAX_BYTES_A_DAY) throw quotaReached(await redis.pttl(day));
      const isTaken = (await redis.set(name, claim, 'PX', CLAIM_MS, 'NX')) === 'OK';
      if (!isTaken) throw inFlight(); // another request has just begun
      return undefined;
    }
    const answer = answerIn(JSON.parse(found) as Entry, request, me);
    if (answer !== undefined) return unpack(answer);
    await redis.set(name, claim, 'PX', CLAIM_MS);
    return undefined;
  };
  return {
    async claim({ caller, key, method, url, body }) {
      const name = `${prefix}${sha256(caller, key)}`;
      const entry = {
        name,
        day: `${prefix}day:${sha256(caller)}`,
        request: sha256(method, url, body),
        owner: `${me}:${randomUUID()}`,
      };
      if (busy.has(name)) throw inFlight();
      const done = unkept.find(name, entry.request);
      if (done) return done;
      busy.add(name);
      try {
        const kept = await take(entry);
        if (!kept) return createClaim(entry, { redis, busy, unkept });
        busy.delete(name);
        return kept;
      } catch (error) {
        busy.delete(name);
        throw error;
      }
    },
  };
}

/** The answer in an entry; undefined: a claim that this process left behind. Throws Refusal. */
function answerIn(entry: Entry, request: string, me: string): string | undefined {
  if (entry.request !== request) throw mismatch();
  if (entry.answer === undefined && !entry.owner.startsWith(me)) throw inFlight();
  return entry.answer;
}

interface ClaimParts {
  readonly redis: Redis;
  readonly busy: Set<string>;
  readonly unkept: ReturnType<typeof createUnkept>;
}

function createClaim({ name, day, request, owner }: ClaimEntry, { redis, busy, unkept }: ClaimParts): Claim {
  const change = (entry: string, bytes = 0): Promise<unknown> =>
    redis.eval(IF_MINE, 2, name, day, owner, entry, KEPT_MS, bytes);
  return {
    async keep(answer) {
      try {
        const packed = await pack(answer);
        if (packed.length > MAX_ANSWER_BYTES) await change('');
        else
          await change(
            JSON.stringify({ request, owner, answer: packed } satisfies Entry),
            packed.length + OVERHEAD_BYTES,
          );
      } catch (error) {
        unkept.add(name, request, answer);
        throw error;
      } finally {
        busy.delete(name);
      }
    },
    async release() {
      await change('').finally(() => busy.delete(name));
    },
  };
}

/** A request with a key, as in Redis. */
interface ClaimEntry {
  readonly name: string;
  /** The key that counts the caller's stored bytes. */
  readonly day: string;
  readonly request: string;
  readonly owner: string;
}

export const isAnswer = (found: Claim | StoredAnswer): found is StoredAnswer => 'status' in found;
