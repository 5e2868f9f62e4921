// Logins of the board, in Redis. The cookie has a random id, Redis only its hash. A seal, whose key
// comes from this server's configuration, covers the entry and the id. So nobody who can write to
// Redis can create or copy a login.
import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { BoardUser } from '../../config/load.ts';
import { deriveKey, isSameSecret, seal } from '../../secrets.ts';

export interface Sessions {
  /** A new login. Resolves with its id, which only the cookie has. */
  begin(user: BoardUser): Promise<string>;
  /** The user of a login, as now configured. Each use extends the login. */
  find(id: string | undefined): Promise<BoardUser | undefined>;
  end(id: string): Promise<void>;
}

export interface SessionOptions {
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  readonly users: readonly BoardUser[];
  /** How long an unused login lasts. */
  readonly sessionMs: number;
}

/** An open board sends requests every few seconds: without this limit its login would never end. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;
/** A use is recorded after this part of `sessionMs`. */
const USE_PART = 20;

interface Login {
  readonly name: string;
  readonly since: number;
  readonly usedAt: number;
}

export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * Its key comes from the hash of the user's password, which is in BOARD_USERS only: a new password
 * ends the logins.
 */
function createSeal({ name, role, hash }: BoardUser) {
  const key = deriveKey(hash, 'board session');
  return (id: string, { since, usedAt }: Login): string =>
    seal(key, JSON.stringify([id, name, role, since, usedAt])).toString('base64url');
}

export function createSessions({ redis, keyOf, users, sessionMs }: SessionOptions): Sessions {
  const known = new Map(users.map((user) => [user.name, { user, seal: createSeal(user) }]));
  const keyFor = (id: string): string => keyOf(`board:session:${digest(id)}`);
  const write = (id: string, login: Login, ...how: ['XX'] | []): Promise<unknown> => {
    const sealed = JSON.stringify({ ...login, seal: known.get(login.name)?.seal(id, login) });
    return how.length === 0
      ? redis.set(keyFor(id), sealed, 'PX', sessionMs)
      : redis.set(keyFor(id), sealed, 'PX', sessionMs, ...how);
  };
  return {
    async begin({ name }) {
      const id = randomBytes(32).toString('base64url');
      const now = Date.now();
      await write(id, { name, since: now, usedAt: now });
      return id;
    },
    async find(id) {
      if (id === undefined) return undefined;
      const login = parseLogin(await redis.getex(keyFor(id), 'PX', sessionMs));
      const owner = login && known.get(login.name);
      if (!owner || !isSameSecret(owner.seal(id, login), String(login.seal))) return undefined;
      const now = Date.now();
      if (now - login.since >= MAX_AGE_MS || now - login.usedAt >= sessionMs) return undefined;
      const { name, since, usedAt } = login;
      if (now - usedAt >= sessionMs / USE_PART) await write(id, { name, since, usedAt: now }, 'XX');
      return owner.user;
    },
    async end(id) {
      await redis.del(keyFor(id));
    },
  };
}

/** Undefined: it is no login. Anybody who can write to Redis may have written it. */
function parseLogin(text: string | null): (Login & { readonly seal: unknown }) | undefined {
  try {
    const { name, since, usedAt, seal } = JSON.parse(text ?? 'null') ?? {};
    const isLogin = typeof name === 'string' && Number.isFinite(since) && Number.isFinite(usedAt);
    return isLogin ? { name, since, usedAt, seal } : undefined;
  } catch {
    return undefined;
  }
}
