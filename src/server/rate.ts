// How often somebody may ask: a token by its name, everybody else by the network that he comes from. Counted in this process.

export interface Rate {
  /**
   * Takes `cost` requests from what `key` may make. Returns 0, or, where nothing is left, for how many milliseconds it has to wait;
   * then nothing is taken. What costs more than is left is allowed once, and waited for afterwards.
   */
  take(key: string, cost?: number): number;
}

const WINDOW_MS = 60_000;
/** Who asked least recently is forgotten first. A forgotten one begins anew. */
const MAX_KEYS = 50_000;

/** GCRA: a minute's worth at once, the rest evenly. `now` in milliseconds. */
export function createRate(
  perMinute: number,
  now: () => number = () => performance.now(),
  maxKeys = MAX_KEYS,
): Rate {
  const eachMs = WINDOW_MS / perMinute;
  // When all is there again.
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

/** Tokens and strangers apart, so that no number of strangers has a token forgotten. */
export interface Rates {
  readonly tokens: Rate;
  readonly strangers: Rate;
}

export const createRates = ({ ratePerMinute }: { readonly ratePerMinute: number }): Rates => ({
  tokens: createRate(ratePerMinute),
  strangers: createRate(ratePerMinute),
});
