// How long until the next look. Pure.

/** Milliseconds. */
export interface Backoff {
  readonly dnsFirstMs: number;
  readonly dnsLongestMs: number;
  readonly tlsFirstMs: number;
  readonly tlsLongestMs: number;
  /** How soon RunCloud shows a certificate that it was asked to install: before that, none is no reason to ask again. */
  readonly issuanceMs: number;
  /** What has passed its deadline is still looked at, so that nobody has to ask again: a customer may be very late. */
  readonly heldMs: number;
  /** How soon we look whether a write took effect whose reply did not tell. A burst of them fits in: one reading then proves them all. */
  readonly checkMs: number;
  /**
   * How long after its beginning a call whose reply did not come may still take effect: so many of its timeouts (the call's own time,
   * and as much again for what RunCloud had begun by then), and at least so long.
   */
  readonly lateTimeouts: number;
  readonly lateMs: number;
  /** For how long RunCloud's list may lag behind what it took of us. No document says; five seconds would be no surprise. */
  readonly lagMs: number;
  /** How long RunCloud's word that it does not know a web application stands for all domains of it, at first. */
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

/** Half of what has been waited already: each look is half as far away again as the one before. */
export const nextDelay = (waitedMs: number, firstMs: number, longestMs: number): number =>
  Math.min(longestMs, Math.max(firstMs, Math.round(waitedMs / 2)));
