// When a RunCloud token ends: tokens are JWTs ([L] a client's notes), so their end can be read
// offline. Pure. A sentence has nothing of the token but that date.
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import type { Finding } from './doctor.ts';
import * as messages from './messages.ts';

/** Enough time to create another one. */
const SOON_MS = 30 * 86_400_000;
/** The largest time of a Date, in seconds. */
const MAX_SECONDS = 8_640_000_000_000;

// RFC 7519, 4.1.4: seconds since the epoch, perhaps with a fraction.
const payloadSchema = z.object({ exp: z.number().nonnegative().max(MAX_SECONDS) });

/** The end in milliseconds since the epoch. Undefined: the token is no JWT, or has no end. */
export function readExpiry(token: string): number | undefined {
  const [, payload, signature, ...more] = token.split('.');
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const { data } = payloadSchema.safeParse(claims);
    return data && data.exp * 1000;
  } catch {
    return undefined;
  }
}

/** No finding if the end is unreadable: RunCloud itself judges the token. */
export function checkToken(token: string | undefined, nowMs: number): Finding[] {
  const endMs = token === undefined ? undefined : readExpiry(token);
  if (endMs === undefined) return [];
  const subject = 'token';
  const fix = messages.fixes.token;
  if (nowMs >= endMs) return [{ level: 'fail', subject, sentence: messages.tokenExpired(endMs), fix }];
  if (endMs - nowMs > SOON_MS) return [{ level: 'ok', subject, sentence: messages.tokenValid(endMs) }];
  return [{ level: 'warn', subject, sentence: messages.tokenExpires(endMs, nowMs), fix }];
}
