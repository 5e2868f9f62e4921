// Tokens of the HTTP API and passwords of the board: how they are made, and how they are compared with what is stored.
// Pure. A token has 256 random bits, so that a plain SHA-256 of it is safe to keep; a password needs scrypt.
import { type BinaryLike, createHash, randomBytes, type ScryptOptions, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { isSameSecret } from '../secrets.ts';

const TOKEN_PREFIX = 'rcd_';

/** A new token; `hash` is what the configuration stores. */
export function createToken(): { readonly token: string; readonly hash: string } {
  const token = TOKEN_PREFIX + randomBytes(32).toString('base64url');
  return { token, hash: hashToken(token) };
}

/** SHA-256 in hex. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** The time it takes reveals nothing of the hash. */
export const verifyToken = (token: string, hash: string): boolean =>
  isSameSecret(Buffer.from(hashToken(token), 'hex'), Buffer.from(hash, 'hex'));

/** The entry of this token. All are compared, so the time does not reveal which one was close. */
export function findByToken<T extends { readonly hash: string }>(
  token: string,
  entries: readonly T[],
): T | undefined {
  let found: T | undefined;
  for (const entry of entries) if (verifyToken(token, entry.hash)) found ??= entry;
  return found;
}

/**
 * N, r and p as RFC 7914 names them: 128 MiB and about half a second for each try. OWASP's least for scrypt
 * (cheatsheetseries.owasp.org, Password Storage Cheat Sheet).
 */
const COST = { N: 131_072, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** A hash that needs more than this is refused: each login would use it. */
const MAX_MEMORY = 256 * 1024 * 1024;

interface PasswordHash {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly key: Buffer;
}

const derive = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt);

const keyOf = (password: string, { N, r, p, salt }: Omit<PasswordHash, 'key'>, bytes: number) =>
  // Unicode has several spellings of one letter, and keyboards differ in the one they send.
  derive(password.normalize('NFKC'), salt, bytes, { N, r, p, maxmem: MAX_MEMORY + 1024 * 1024 });

/** `scrypt$N$r$p$salt$key`, salt and key in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await keyOf(password, { ...COST, salt }, KEY_BYTES);
  const { N, r, p } = COST;
  return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** False for a hash that is none, as for a wrong password. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const stored = parsePasswordHash(hash);
  if (stored === undefined) return false;
  return isSameSecret(await keyOf(password, stored, stored.key.length), stored.key);
}

const isPowerOfTwo = (n: number): boolean => n > 1 && Number.isInteger(Math.log2(n));

/** Undefined for what is no such hash, or one that costs too little or too much. */
function parsePasswordHash(hash: string): PasswordHash | undefined {
  const [, n, r, p, salt = '', key = ''] =
    /^scrypt\$(\d{1,8})\$(\d{1,2})\$(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(hash) ?? [];
  const cost = { N: Number(n), r: Number(r), p: Number(p) };
  const memory = 128 * cost.N * cost.r;
  const isCost = isPowerOfTwo(cost.N) && cost.N >= 1024 && cost.r > 0 && cost.p > 0 && memory <= MAX_MEMORY;
  const bytes = { salt: Buffer.from(salt, 'base64url'), key: Buffer.from(key, 'base64url') };
  const isLong = bytes.salt.length >= 8 && bytes.key.length >= 16 && bytes.key.length <= 64;
  return isCost && isLong ? { ...cost, ...bytes } : undefined;
}

/** Whether a password was hashed with less work than `hashPassword` takes today. It is still recognised. */
export function isOutdated(hash: string): boolean {
  const stored = parsePasswordHash(hash);
  return stored !== undefined && stored.N * stored.r * stored.p < COST.N * COST.r * COST.p;
}

export const isPasswordHash = (text: string): boolean => parsePasswordHash(text) !== undefined;
