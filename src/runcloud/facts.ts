// What rarely changes about a web application: its server's address, and how its certificates are kept. Read every six hours, and
// anew where somebody has asked since, so that nobody is judged, and told, by what is over. Never writes.
import { hasCode, TransientError } from '../errors.ts';
import { CallAbortedError } from './errors.ts';
import { createCache, type Found, type Readable } from './facts-cache.ts';
import { createLocalMemo, type FactsMemo } from './facts-memo.ts';
import type { CallOptions, RunCloud, WebApplication } from './runcloud.ts';

export interface AppFacts {
  /** The server's own address; undefined where RunCloud does not tell. */
  readonly ipAddress: string | undefined;
  /** Each domain has a certificate of its own. */
  readonly advanced: boolean;
  /** RunCloud issues by itself. */
  readonly autoSsl: boolean;
}

/** A web application, and when somebody last asked for what the facts are needed for, by Redis' clock. */
export interface RequestedApp extends WebApplication {
  readonly requestedAt?: number | undefined;
}

export interface Facts {
  /**
   * As last read by any worker, at most six hours ago: who only waits costs RunCloud nothing. What was read before the request is
   * read anew, at most once a minute and web application over all workers; where that fails, it serves.
   */
  cached(app: RequestedApp, calls?: CallOptions): Promise<AppFacts>;
  /**
   * With the certificate mode as it is now: who orders must have noticed a change. Where the reading fails for this one route,
   * the mode as last known; throws where none is known, and where RunCloud answers nobody.
   */
  read(app: RequestedApp, calls?: CallOptions): Promise<AppFacts>;
  /** RunCloud's list of certificates has proven advanced mode, whatever it says when asked for the mode. */
  noteAdvanced(app: WebApplication): Promise<void>;
}

interface Options {
  readonly runcloud: Pick<RunCloud, 'getServer' | 'getSslMode'>;
  /** What all workers know. Default: this process alone. */
  readonly memo?: FactsMemo;
  readonly maxAgeMs?: number;
  readonly refreshMs?: number;
}

type Mode = Pick<AppFacts, 'advanced' | 'autoSsl'>;
/** Null: RunCloud does not tell, or not to us. */
type Address = string | null;

const SIX_HOURS_MS = 6 * 3_600_000;
const MINUTE_MS = 60_000;

export function createFacts(options: Options): Facts {
  const { runcloud, memo = createLocalMemo(), maxAgeMs = SIX_HOURS_MS, refreshMs = MINUTE_MS } = options;
  const cache = createCache({ memo, maxAgeMs, refreshMs });
  const proven = new Map<string, number>();
  const isProven = (key: string): boolean => performance.now() - (proven.get(key) ?? -Infinity) < maxAgeMs;
  const readMode = async (app: WebApplication, calls?: CallOptions): Promise<Mode> => {
    const { advanced, autoSsl = false } = await runcloud.getSslMode(app, shared(calls));
    return { advanced: advanced || isProven(keyOf(app)), autoSsl };
  };
  const toReadables = (app: RequestedApp, calls?: CallOptions) => ({
    mode: { key: keyOf(app), read: () => readMode(app, calls) },
    address: { key: String(app.serverId), read: () => readAddress(runcloud, app, calls) },
  });
  const lookUp = async (
    app: RequestedApp,
    { mode, address }: ReturnType<typeof toReadables>,
    asked: readonly Readable<unknown>[],
  ): Promise<Found> => {
    const keys = [mode.key, address.key];
    const found = await memo.get(keys);
    if (app.requestedAt === undefined) return found;
    const isRefreshed = await cache.refresh(asked, found, { turn: keyOf(app), since: app.requestedAt });
    return isRefreshed ? memo.get(keys) : found;
  };

  return {
    async cached(app, calls) {
      const { mode, address } = toReadables(app, calls);
      const found = await lookUp(app, { mode, address }, [mode, address]);
      const known = await cache.serve(mode, found);
      return { ...known, ipAddress: (await cache.serve(address, found)) ?? undefined };
    },
    async read(app, calls) {
      const { mode, address } = toReadables(app, calls);
      const found = await lookUp(app, { mode, address }, [address]);
      const known = found.known.get(mode.key)?.value as Mode | undefined;
      const now = await cache.renew(mode).catch((error: unknown) => {
        if (known === undefined || !isOfThisRoute(error)) throw error;
        return known;
      });
      return { ...now, ipAddress: (await cache.serve(address, found)) ?? undefined };
    },
    async noteAdvanced(app) {
      const key = keyOf(app);
      proven.set(key, performance.now());
      const { now, known } = await memo.get([key]);
      const { autoSsl = false } = (known.get(key)?.value ?? {}) as Partial<Mode>;
      await memo.put(key, { value: { autoSsl, advanced: true }, at: now });
    },
  };
}

async function readAddress(
  runcloud: Options['runcloud'],
  { serverId }: WebApplication,
  calls?: CallOptions,
): Promise<Address> {
  try {
    return (await runcloud.getServer(serverId, shared(calls))).ipAddress ?? null;
  } catch (error) {
    // Credentials that may attach domains need not be good for reading servers.
    if (hasCode(error, 'runcloud-forbidden', 'runcloud-not-found', 'runcloud-rejected')) return null;
    throw error;
  }
}

const keyOf = ({ serverId, appId }: WebApplication): string => `${serverId}:${appId}`;

// A firewall's page, a refusal or a lost answer for this one route leaves what is known as it is. What holds everybody goes through.
const isOfThisRoute = (error: unknown): boolean =>
  error instanceof TransientError && error.attemptSpent && !(error instanceof CallAbortedError);

/** The signal stays out: the reading is shared, and one job that stops must not fail the others. */
const shared = ({ onCall, onUnavailable }: CallOptions = {}): CallOptions => ({ onCall, onUnavailable });
