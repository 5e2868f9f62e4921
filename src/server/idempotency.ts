// Idempotency-Key: the answer to a request is kept for a day, so that who sends it again gets the same answer, and nothing is done
// twice. What was refused is not kept: it changed nothing, and may be corrected under the same key.
import { createHash, randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Refusal } from './problems.ts';

const KEPT_MS = 24 * 3600 * 1000;
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
  readonly answer?: StoredAnswer;
}

// Only who holds the claim may change it: after CLAIM_MS it may be somebody else's.
const IF_MINE = `
local found = redis.call('GET', KEYS[1])
if not found or cjson.decode(found).owner ~= ARGV[1] then return 0 end
if ARGV[2] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
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
  const take = async (name: string, request: string, owner: string): Promise<StoredAnswer | undefined> => {
    const claim = JSON.stringify({ request, owner } satisfies Entry);
    if ((await redis.set(name, claim, 'PX', CLAIM_MS, 'NX')) === 'OK') return undefined;
    const found = await redis.get(name);
    if (found === null) throw inFlight(); // it has ended this very moment
    const entry = JSON.parse(found) as Entry;
    if (entry.request !== request) throw mismatch();
    if (entry.answer) return entry.answer;
    if (!entry.owner.startsWith(me)) throw inFlight();
    await redis.set(name, claim, 'PX', CLAIM_MS);
    return undefined;
  };

  const createClaim = (name: string, request: string, owner: string): Claim => ({
    async keep(answer) {
      const entry = JSON.stringify({ request, owner, answer } satisfies Entry);
      try {
        await redis.eval(IF_MINE, 1, name, owner, entry, KEPT_MS);
      } catch (error) {
        unkept.add(name, request, answer);
        throw error;
      } finally {
        busy.delete(name);
      }
    },
    async release() {
      await redis.eval(IF_MINE, 1, name, owner, '', 0).finally(() => busy.delete(name));
    },
  });

  return {
    async claim({ caller, key, method, url, body }) {
      const name = `${prefix}${sha256(caller, key)}`;
      const request = sha256(method, url, body);
      const owner = `${me}:${randomUUID()}`;
      if (busy.has(name)) throw inFlight();
      const done = unkept.find(name, request);
      if (done) return done;
      busy.add(name);
      try {
        const kept = await take(name, request, owner);
        if (!kept) return createClaim(name, request, owner);
        busy.delete(name);
        return kept;
      } catch (error) {
        busy.delete(name);
        throw error;
      }
    },
  };
}

export const isKept = (found: Claim | StoredAnswer): found is StoredAnswer => 'status' in found;
