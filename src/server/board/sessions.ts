// Logins at the board, kept in Redis: the cookie holds a random id, Redis only its hash.
import { createHash, randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { BoardUser } from '../../config.ts';

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

interface Login {
  readonly name: string;
  /** Of the password's hash: a new password, or a user taken away, ends the logins. */
  readonly fingerprint: string;
  readonly since: number;
}

export const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

export function createSessions({ redis, keyOf, users, sessionMs }: SessionOptions): Sessions {
  const keyFor = (id: string): string => keyOf(`board:session:${digest(id)}`);
  return {
    async begin({ name, hash }) {
      const id = randomBytes(32).toString('base64url');
      const login: Login = { name, fingerprint: digest(hash), since: Date.now() };
      await redis.set(keyFor(id), JSON.stringify(login), 'PX', sessionMs);
      return id;
    },
    async find(id) {
      if (id === undefined) return undefined;
      const stored = await redis.getex(keyFor(id), 'PX', sessionMs);
      if (stored === null) return undefined;
      const { name, fingerprint, since } = JSON.parse(stored) as Login;
      const user = users.find((known) => known.name === name && digest(known.hash) === fingerprint);
      return Date.now() - since < MAX_AGE_MS ? user : undefined;
    },
    async end(id) {
      await redis.del(keyFor(id));
    },
  };
}
