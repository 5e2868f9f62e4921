// What rarely changes about a web application, read now and then: its server's address, and how its certificates are kept.
// Never writes.
import { hasCode } from '../errors.ts';
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
  /** With the certificate mode as it is now: who orders must have noticed a change. */
  read(app: WebApplication, calls?: CallOptions): Promise<AppFacts>;
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
  const keyOf = ({ serverId, appId }: WebApplication): string => `${serverId}:${appId}`;
  const readMode = async (app: WebApplication, calls?: CallOptions): Promise<Mode> => {
    const { advanced, autoSsl = false } = await runcloud.getSslMode(app, shared(calls));
    return { advanced, autoSsl };
  };

  return {
    async glance(app, calls) {
      const mode = await modes.get(keyOf(app), () => readMode(app, calls));
      return { ...mode, ipAddress: await address(app, calls) };
    },
    async read(app, calls) {
      await modes.renew(keyOf(app), () => readMode(app, calls));
      return this.glance(app, calls);
    },
  };
}

/** The signal stays out: the reading is shared, and one job that stops must not fail the others. */
const shared = ({ onCall, onHold }: CallOptions = {}): CallOptions => ({ onCall, onHold });

/** Values with an age; two who ask at once share one reading. While a new one cannot be had, the old one serves. */
function createShelf<T>(maxAgeMs: number) {
  const known = new Map<string, { readonly at: number; readonly value: Promise<T> }>();
  const renew = (key: string, read: () => Promise<T>): Promise<T> => {
    const before = known.get(key);
    const entry = { at: performance.now(), value: read() };
    known.set(key, entry);
    entry.value.catch(() => {
      if (known.get(key) !== entry) return;
      if (before) known.set(key, before);
      else known.delete(key);
    });
    return entry.value;
  };
  return {
    renew,
    async get(key: string, read: () => Promise<T>): Promise<T> {
      const entry = known.get(key);
      if (!entry) return renew(key, read);
      if (performance.now() - entry.at < maxAgeMs) return entry.value;
      return renew(key, read).catch(() => entry.value);
    },
  };
}
