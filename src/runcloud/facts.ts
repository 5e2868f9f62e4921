// What rarely changes about a web application: its server's address and its certificate mode. Read
// every six hours, and again after a new request: its result must not come from old facts. Never
// writes.
import { hasCode, TransientError } from '../errors.ts';
import { CallAbortedError } from './errors.ts';
import { createCache, type Found, type Readable } from './facts-cache.ts';
import { createLocalMemo, type FactsMemo } from './facts-memo.ts';
import type { CallOptions, RunCloud, WebApplication } from './runcloud.ts';

export interface AppFacts {
  /** The server's own address. Undefined: RunCloud does not send it. */
  readonly ipAddress: string | undefined;
  /** Each domain has a certificate of its own. */
  readonly advanced: boolean;
  /** RunCloud orders certificates automatically. */
  readonly autoSsl: boolean;
}

/** A web application, and the time of the newest request that needs its facts, by Redis' clock. */
export interface RequestedApp extends WebApplication {
  readonly requestedAt?: number | undefined;
}

export interface Facts {
  /**
   * As last read by any worker, at most six hours ago: a waiting domain costs no call. Facts from
   * before the request are read again, at most once a minute per web application over all workers.
   * If that fails, the old facts serve.
   */
  cached(app: RequestedApp, calls?: CallOptions): Promise<AppFacts>;
  /**
   * With the current certificate mode, for an order. If this one route fails: the mode as last
   * known. Throws if none is known, or if RunCloud is unavailable.
   */
  read(app: RequestedApp, calls?: CallOptions): Promise<AppFacts>;
  /**
   * RunCloud's list of certificates has proven advanced mode, whatever its own route for the mode
   * answers.
   */
  noteAdvanced(app: WebApplication): Promise<void>;
}

interface Options {
  readonly runcloud: Pick<RunCloud, 'getServer' | 'getSslMode'>;
  /** The facts of all workers. Default: of this process alone. */
  readonly memo?: FactsMemo;
  readonly maxAgeMs?: number;
  readonly refreshMs?: number;
}

type Mode = Pick<AppFacts, 'advanced' | 'autoSsl'>;
/** Null: RunCloud does not send it, or not with these credentials. */
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
  const load = async (
    app: RequestedApp,
    { mode, address }: ReturnType<typeof toReadables>,
    overdue: readonly Readable<unknown>[],
  ): Promise<Found> => {
    const keys = [mode.key, address.key];
    const found = await memo.get(keys);
    if (app.requestedAt === undefined) return found;
    const isRefreshed = await cache.refresh(overdue, found, { lock: keyOf(app), since: app.requestedAt });
    return isRefreshed ? memo.get(keys) : found;
  };

  return {
    async cached(app, calls) {
      const { mode, address } = toReadables(app, calls);
      const found = await load(app, { mode, address }, [mode, address]);
      const known = await cache.serve(mode, found);
      return { ...known, ipAddress: (await cache.serve(address, found)) ?? undefined };
    },
    async read(app, calls) {
      const { mode, address } = toReadables(app, calls);
      const found = await load(app, { mode, address }, [address]);
      const known = found.known.get(mode.key)?.value as Mode | undefined;
      const now = await cache.read(mode).catch((error: unknown) => {
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
    // Credentials that may attach domains may have no right to read servers.
    if (hasCode(error, 'runcloud-forbidden', 'runcloud-not-found', 'runcloud-rejected')) return null;
    throw error;
  }
}

const keyOf = ({ serverId, appId }: WebApplication): string => `${serverId}:${appId}`;

// A firewall's page, a refusal or a lost answer for this one route: the known mode stays. An outage
// for everybody is thrown.
const isOfThisRoute = (error: unknown): boolean =>
  error instanceof TransientError && error.attemptSpent && !(error instanceof CallAbortedError);

/** Without the signal: the read is shared, and one stopped job must not fail the others. */
const shared = ({ onCall, onUnavailable }: CallOptions = {}): CallOptions => ({ onCall, onUnavailable });
