// What rarely changes about a web application, read now and then: its server's address, and how its certificates are kept.
// Never writes.
import { hasCode, TransientError } from '../errors.ts';
import { CallAbortedError } from './errors.ts';
import type { CallOptions, RunCloud, WebApplication } from './runcloud.ts';

export interface AppFacts {
  /** The server's own address; undefined where RunCloud does not tell. */
  readonly ipAddress: string | undefined;
  /** Each domain has a certificate of its own. */
  readonly advanced: boolean;
  /** RunCloud issues by itself. */
  readonly autoSsl: boolean;
}

export interface Facts {
  /** As last read, at most six hours ago: who only waits costs RunCloud nothing. */
  glance(app: WebApplication, calls?: CallOptions): Promise<AppFacts>;
  /**
   * With the certificate mode as it is now: who orders must have noticed a change. Where the reading fails for this one route,
   * the mode as last known; throws where none is known, and where RunCloud answers nobody.
   */
  read(app: WebApplication, calls?: CallOptions): Promise<AppFacts>;
  /** RunCloud's list of certificates has proven advanced mode, whatever it says when asked for the mode. */
  noteAdvanced(app: WebApplication): void;
}

interface Options {
  readonly runcloud: Pick<RunCloud, 'getServer' | 'getSslMode'>;
  readonly maxAgeMs?: number;
}

type Mode = Pick<AppFacts, 'advanced' | 'autoSsl'>;

export function createFacts({ runcloud, maxAgeMs = 6 * 3_600_000 }: Options): Facts {
  const addresses = createShelf<string | undefined>(maxAgeMs);
  const modes = createShelf<Mode>(maxAgeMs);

  const address = ({ serverId }: WebApplication, calls?: CallOptions) =>
    addresses.get(String(serverId), async () => {
      try {
        return (await runcloud.getServer(serverId, shared(calls))).ipAddress;
      } catch (error) {
        // Credentials that may attach domains need not be good for reading servers.
        if (hasCode(error, 'runcloud-forbidden', 'runcloud-not-found', 'runcloud-rejected')) return undefined;
        throw error;
      }
    });
  const proven = new Map<string, number>();
  const isProven = (key: string): boolean => performance.now() - (proven.get(key) ?? -Infinity) < maxAgeMs;
  const keyOf = ({ serverId, appId }: WebApplication): string => `${serverId}:${appId}`;
  const readMode = async (app: WebApplication, calls?: CallOptions): Promise<Mode> => {
    const { advanced, autoSsl = false } = await runcloud.getSslMode(app, shared(calls));
    return { advanced: advanced || isProven(keyOf(app)), autoSsl };
  };

  return {
    async glance(app, calls) {
      const mode = await modes.get(keyOf(app), () => readMode(app, calls));
      return { ...mode, ipAddress: await address(app, calls) };
    },
    async read(app, calls) {
      const known = modes.last(keyOf(app));
      const mode = await modes
        .renew(keyOf(app), () => readMode(app, calls))
        .catch((error: unknown) => {
          if (known === undefined || !isOfThisRoute(error)) throw error;
          return known;
        });
      return { ...mode, ipAddress: await address(app, calls) };
    },
    noteAdvanced(app) {
      proven.set(keyOf(app), performance.now());
      modes.note(keyOf(app), { autoSsl: modes.last(keyOf(app))?.autoSsl ?? false, advanced: true });
    },
  };
}

// A firewall's page, a refusal or a lost answer for this one route leaves what is known as it is. What holds everybody goes through.
const isOfThisRoute = (error: unknown): boolean =>
  error instanceof TransientError && error.attemptSpent && !(error instanceof CallAbortedError);

/** The signal stays out: the reading is shared, and one job that stops must not fail the others. */
const shared = ({ onCall, onHold }: CallOptions = {}): CallOptions => ({ onCall, onHold });

/** Values with an age; two who ask at once share one reading. While a new one cannot be had, the old one serves. */
function createShelf<T>(maxAgeMs: number) {
  const good = new Map<string, { readonly at: number; readonly value: T }>();
  const underway = new Map<string, Promise<T>>();
  const take = async (key: string, read: () => Promise<T>): Promise<T> => {
    const at = performance.now();
    const value = await read();
    if (at >= (good.get(key)?.at ?? 0)) good.set(key, { at, value });
    return value;
  };
  const renew = (key: string, read: () => Promise<T>): Promise<T> => {
    const reading = take(key, read).finally(() => {
      if (underway.get(key) === reading) underway.delete(key);
    });
    underway.set(key, reading);
    return reading;
  };
  return {
    renew,
    last: (key: string): T | undefined => good.get(key)?.value,
    note: (key: string, value: T): void => void good.set(key, { at: performance.now(), value }),
    async get(key: string, read: () => Promise<T>): Promise<T> {
      const last = good.get(key);
      if (last && performance.now() - last.at < maxAgeMs) return last.value;
      const reading = underway.get(key) ?? renew(key, read);
      return last ? reading.catch(() => last.value) : reading;
    },
  };
}
