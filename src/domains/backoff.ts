// How long until the next check. Pure.

/** Milliseconds. */
export interface Backoff {
  readonly dnsFirstMs: number;
  readonly dnsLongestMs: number;
  readonly tlsFirstMs: number;
  readonly tlsLongestMs: number;
  /** How soon RunCloud shows a certificate that was ordered. Until then a missing one is no reason to order again. */
  readonly issuanceMs: number;
  /** The longest delay after the deadline. Checks go on: a customer may be very late. */
  readonly heldMs: number;
  /** When the list is read after a reply that confirms nothing. One list then serves a whole burst. */
  readonly checkMs: number;
  /**
   * How long an unanswered call may still take effect after its start: so many of its timeouts (the call's own time, and as much
   * again for what RunCloud had begun by then), and at least so long.
   */
  readonly lateTimeouts: number;
  readonly lateMs: number;
  /** How long RunCloud's list may lag behind what it accepted. No document says; five seconds would be no surprise. */
  readonly lagMs: number;
  /** How long RunCloud's 404 for a web application counts for all its domains, at first. */
  readonly missingMs: number;
}

export const BACKOFF: Backoff = {
  dnsFirstMs: 60_000,
  dnsLongestMs: 3_600_000,
  tlsFirstMs: 10_000,
  tlsLongestMs: 600_000,
  issuanceMs: 60_000,
  heldMs: 86_400_000,
  checkMs: 3_000,
  lateTimeouts: 2,
  lateMs: 15_000,
  lagMs: 60_000,
  missingMs: 15_000,
};

/** Half of the time that has passed: each delay is half as long again as the one before. */
export const nextDelay = (waitedMs: number, firstMs: number, longestMs: number): number =>
  Math.min(longestMs, Math.max(firstMs, Math.round(waitedMs / 2)));
