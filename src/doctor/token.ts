// When a RunCloud token ends: tokens are JWTs ([L] a client's notes), so their end can be read without asking anybody. Pure; nothing of the
// token ever enters a sentence but that date.
import { Buffer } from 'node:buffer';
import { z } from 'zod';
import type { Finding } from './doctor.ts';

/** Time enough for a person to make another one. */
const SOON_MS = 30 * 86_400_000;
/** What a Date can hold. */
const MAX_SECONDS = 8_640_000_000_000;

// RFC 7519, 4.1.4: seconds since the epoch, perhaps with a fraction.
const payloadSchema = z.object({ exp: z.number().nonnegative().max(MAX_SECONDS) });

/** The end in milliseconds since the epoch; undefined where the token is no JWT, or has no end. */
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

/** No finding where nothing can be read: RunCloud itself says whether it takes the token. */
export function checkToken(token: string | undefined, nowMs: number): Finding[] {
  const endMs = token === undefined ? undefined : readExpiry(token);
  if (endMs === undefined) return [];
  const subject = 'token';
  const day = new Date(endMs).toISOString().slice(0, 10);
  if (nowMs >= endMs)
    return [{ level: 'fail', subject, sentence: `it expired on ${day}, by this machine's clock`, fix }];
  if (endMs - nowMs > SOON_MS) return [{ level: 'ok', subject, sentence: `valid until ${day}` }];
  return [{ level: 'warn', subject, sentence: `it expires on ${day}, ${toDays(endMs - nowMs)}`, fix }];
}

const fix =
  'make a new token in RunCloud under Workspace > Settings > API Management, and put it into RUNCLOUD_API_TOKEN';

function toDays(leftMs: number): string {
  const days = Math.floor(leftMs / 86_400_000);
  if (days < 1) return 'in less than a day';
  return days === 1 ? 'in 1 day' : `in ${days} days`;
}
