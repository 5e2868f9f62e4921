// Counts authenticated requests per window and against the quota, and writes the 429 (reference section 2).
// Neither number is known; both are settings.
import type { Reply } from './replies.ts';
import { failure, htmlPage } from './replies.ts';
import type { Settings } from './settings.ts';
import type { Variants } from './variants.ts';

export interface RateLimiter {
  /** Counts one request; the answer when it is one too many, else null. */
  take: (now: number) => Reply | null;
  headers: () => Record<string, string>;
  reset: () => void;
}

interface Count {
  used: number;
  windowEndsAt: number;
  total: number;
}

export function createRateLimiter(options: { settings: Settings; variants: Variants }): RateLimiter {
  const { settings, variants } = options;
  const fresh: Count = { used: 0, windowEndsAt: 0, total: 0 };
  const count = { ...fresh };
  return {
    take: (now) => {
      if (now >= count.windowEndsAt) {
        Object.assign(count, { used: 0, windowEndsAt: now + settings.rateLimitWindowMs });
      }
      count.used += 1;
      count.total += 1;
      if (settings.rateLimit > 0 && count.used > settings.rateLimit) {
        return tooMany(variants, Math.max(0, count.windowEndsAt - now), now);
      }
      return settings.quota > 0 && count.total > settings.quota ? quotaSpent(variants) : null;
    },
    headers: () => toHeaders(settings, variants, count),
    reset: () => void Object.assign(count, fresh),
  };
}

function toHeaders(settings: Settings, variants: Variants, count: Count): Record<string, string> {
  if (settings.rateLimit === 0 || variants.rateLimitHeaders === 'absent') return {};
  return {
    'X-RateLimit-Limit': String(settings.rateLimit),
    'X-RateLimit-Remaining': String(Math.max(0, settings.rateLimit - count.used)),
  };
}

function tooMany(variants: Variants, waitMs: number, now: number): Reply {
  const reply: Reply = { status: 429, headers: retryAfter(variants, waitMs, now) };
  if (variants.rateLimitBody === 'html') return { ...reply, html: htmlPage('429 Too Many Requests') };
  if (variants.rateLimitBody === 'empty') return reply;
  return { ...reply, body: { message: 'Too Many Attempts.' } };
}

// No RunCloud source mentions Retry-After: a client must live with none and with any.
function retryAfter(variants: Variants, waitMs: number, now: number): Record<string, string> {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  switch (variants.retryAfter) {
    case 'none':
      return {};
    case 'seconds':
      return { 'Retry-After': String(seconds) };
    case 'date':
      return { 'Retry-After': new Date(now + seconds * 1000).toUTCString() };
    case 'text':
      return { 'Retry-After': 'in a little while' };
  }
}

const quotaSpent = (variants: Variants): Reply =>
  failure(Number(variants.quotaReply), 'API usage limit reached.', variants);
