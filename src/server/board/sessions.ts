// Logins at the board, kept in Redis: the cookie holds a random id, Redis only its hash. What stands in Redis is sealed for that id
// by a key that only this server's configuration gives, so that whoever may write to Redis can neither make a login nor copy one.
import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { BoardUser } from '../../config/load.ts';
import { deriveKey, isSameSecret, seal } from '../../secrets.ts';

export interface Sessions {
  /** A new login; resolves with its id, which only the cookie knows. */
  begin(user: BoardUser): Promise<string>;
  /** Whose login it is, as the configuration has them now; a login that is used lasts on. */
  find(id: string | undefined): Promise<BoardUser | undefined>;
  end(id: string): Promise<void>;
}

export interface SessionOptions {
  readonly redis: Redis;
  readonly keyOf: (name: string) => string;
  readonly users: readonly BoardUser[];
  /** How long a login lasts without being used. */
  readonly sessionMs: number;
}

/** The board asks every few seconds while it is open, so "used" alone would let a login last for ever. */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;
/** A use is written down after this part of `sessionMs`. */
const USE_PART = 20;

interface Login {
  readonly name: string;
  readonly since: number;
  readonly usedAt: number;
}

export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Of the hash of the user's password, which stands in BOARD_USERS only: a new password ends the logins. */
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

/** Undefined for what is none: anybody who may write to Redis may have put it there. */
function parseLogin(text: string | null): (Login & { readonly seal: unknown }) | undefined {
  try {
    const { name, since, usedAt, seal } = JSON.parse(text ?? 'null') ?? {};
    const isLogin = typeof name === 'string' && Number.isFinite(since) && Number.isFinite(usedAt);
    return isLogin ? { name, since, usedAt, seal } : undefined;
  } catch {
    return undefined;
  }
}
