// Idempotency-Key: the answer to a request is kept for a day, so that who sends it again gets the same answer, and nothing is done
// twice. What was refused is not kept: it changed nothing, and may be corrected under the same key. What is kept is bounded, for each
// answer and for each caller, or one could fill Redis.
import { createHash, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Redis } from 'ioredis';
import { Refusal } from './problems.ts';

const KEPT_MS = 24 * 3600 * 1000;
/** Of one answer, compressed; a batch of 1000 common names has 20 kB. A longer one is not kept. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Longer than any answer of ours. */
const MAX_UNPACKED_BYTES = 16 * 1024 * 1024;
/** Of all answers to one caller in a day. */
const MAX_BYTES_A_DAY = 16 * 1024 * 1024;
/** What Redis needs for any answer besides. */
const OVERHEAD_BYTES = 300;

/** After a crash in the middle of a request, its key is free again after this. */
const CLAIM_MS = 60_000;

export interface StoredAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface KeyedRequest {
  /** The name of the caller's token: keys of different tokens never meet. */
  readonly caller: string;
  readonly key: string;
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** As it was sent. */
  readonly body: string;
}

export interface Claim {
  /** Keeps the answer. */
  keep(answer: StoredAnswer): Promise<void>;
  /** Frees the key. */
  release(): Promise<void>;
}

export interface Idempotency {
  /** The answer that is kept, or the claim to give one. Throws Refusal: 409 in flight, 422 another request. */
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

// KEYS: the claim, the bytes that its caller has had kept since the day began. ARGV: owner, entry or '' (frees the key), a day in ms,
// bytes. Only who holds the claim may change it: after CLAIM_MS it may be somebody else's.
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

/** Throws Refusal where it is no key: 1 to 255 visible ASCII characters. */
export function parseIdempotencyKey(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === 'string' && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  const message = 'must be 1 to 255 visible ASCII characters';
  throw new Refusal('invalid-payload', `Idempotency-Key: ${message}`, {
    errors: [{ field: 'Idempotency-Key', message }],
  });
}

const inFlight = (): Refusal =>
  new Refusal('idempotency-in-flight', 'the same request is being carried out', {
    headers: { 'retry-after': '1' },
  });

const overfull = (waitMs: number): Refusal =>
  new Refusal(
    'idempotency-full',
    'this token has had as many answers kept as a day allows: send it without an Idempotency-Key, or later',
    { headers: { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) } },
  );

const mismatch = (): Refusal =>
  new Refusal('idempotency-mismatch', 'this Idempotency-Key was used for another request');

/** The answers to what was done while Redis could not take them: for as long as their claims may stand there without them. */
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
  // What this process is busy with. A claim of its own that is not among them was left behind while Redis was away.
  const busy = new Set<string>();
  const unkept = createUnkept();
  const take = async ({ name, day, request, owner }: DesiredRecord): Promise<StoredAnswer | undefined> => {
    const claim = JSON.stringify({ request, owner } satisfies Entry);
    const [found, spent] = await redis.mget(name, day);
    if (!found) {
      if (Number(spent) >= MAX_BYTES_A_DAY) throw overfull(await redis.pttl(day));
      const isTaken = (await redis.set(name, claim, 'PX', CLAIM_MS, 'NX')) === 'OK';
      if (!isTaken) throw inFlight(); // somebody else has begun it this very moment
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
      const desired = {
        name,
        day: `${prefix}day:${sha256(caller)}`,
        request: sha256(method, url, body),
        owner: `${me}:${randomUUID()}`,
      };
      if (busy.has(name)) throw inFlight();
      const done = unkept.find(name, desired.request);
      if (done) return done;
      busy.add(name);
      try {
        const kept = await take(desired);
        if (!kept) return createClaim(desired, { redis, busy, unkept });
        busy.delete(name);
        return kept;
      } catch (error) {
        busy.delete(name);
        throw error;
      }
    },
  };
}

/** The answer that an entry has; undefined where it is a claim that this process has left behind. Throws Refusal. */
function answerIn(entry: Entry, request: string, me: string): string | undefined {
  if (entry.request !== request) throw mismatch();
  if (entry.answer === undefined && !entry.owner.startsWith(me)) throw inFlight();
  return entry.answer;
}

interface Held {
  readonly redis: Redis;
  readonly busy: Set<string>;
  readonly unkept: ReturnType<typeof createUnkept>;
}

function createClaim({ name, day, request, owner }: DesiredRecord, { redis, busy, unkept }: Held): Claim {
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

/** A request that names a key, as it stands in Redis. */
interface DesiredRecord {
  readonly name: string;
  /** What its caller has had kept. */
  readonly day: string;
  readonly request: string;
  readonly owner: string;
}

export const isAnswer = (found: Claim | StoredAnswer): found is StoredAnswer => 'status' in found;
