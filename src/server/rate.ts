// Rate limits of requests: per token, and without a token per network. Each process counts on its
// own.

export interface Rate {
  /**
   * Takes `cost` requests from the budget of `key`. Returns 0, or the milliseconds to wait if
   * nothing is left; then nothing is taken. A request that costs more than is left passes once; the
   * next ones wait longer.
   */
  take(key: string, cost?: number): number;
}

const WINDOW_MS = 60_000;
/** The key that was used least recently is forgotten first, and starts with a full budget again. */
const MAX_KEYS = 50_000;

/** GCRA: a minute's budget at once, then evenly. `now` in milliseconds. */
export function createRate(
  perMinute: number,
  now: () => number = () => performance.now(),
  maxKeys = MAX_KEYS,
): Rate {
  const eachMs = WINDOW_MS / perMinute;
  // When the budget of a key is full again.
  const restoredAt = new Map<string, number>();
  return {
    take(key, cost = 1) {
      const at = now();
      const from = Math.max(restoredAt.get(key) ?? at, at);
      const waitMs = from + eachMs - at - WINDOW_MS;
      if (waitMs > 0.001) return waitMs;
      restoredAt.delete(key);
      restoredAt.set(key, from + cost * eachMs);
      if (restoredAt.size > maxKeys) restoredAt.delete(restoredAt.keys().next().value ?? key);
      return 0;
    },
  };
}

/** Two tables: requests without a token never push a token out. */
export interface Rates {
  readonly tokens: Rate;
  /** Requests without a valid token, per network. */
  readonly anonymous: Rate;
}

export const createRates = ({ ratePerMinute }: { readonly ratePerMinute: number }): Rates => ({
  tokens: createRate(ratePerMinute),
  anonymous: createRate(ratePerMinute),
});
