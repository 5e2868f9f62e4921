// How long the worker waits in the demo. It imports nothing at run time, since the worker's own process reads it too.
import type { Backoff } from '../src/domains/backoff.ts';

/** Every other setting has its default. */
export const delays = {
  SSL_REDEPLOY_DELAY: '4s',
  DNS_DEADLINE: '10s',
} as const;

/** How failed attempts are retried: the first time after a second. */
export const retryPolicy = { attempts: 40, backoffMs: 1_000, backoffMaxMs: 900_000 };

/** How often the worker checks: every second instead of every minute. */
export const backoff: Backoff = {
  dnsFirstMs: 500,
  dnsLongestMs: 800,
  tlsFirstMs: 600,
  tlsLongestMs: 6000,
  issuanceMs: 1000,
  heldMs: 2000,
  checkMs: 3000,
  lateTimeouts: 2,
  lateMs: 1000,
  lagMs: 1000,
  missingMs: 50,
};
