// RunCloud's log of a web application since an order. One page serves all callers within a minute:
// a shared certificate fails for all its domains at once. A failed read is ignored.
import type { CallOptions, LogEntry, RunCloud, WebApplication } from './runcloud.ts';

/** An order that failed. Times in milliseconds by Redis' clock. */
export interface FailedOrder {
  readonly orderedAt: number;
  readonly now: number;
}

export interface LogReader {
  /** The entries since the order, the newest first. None if they cannot be read. */
  since(app: WebApplication, order: FailedOrder, calls?: CallOptions): Promise<readonly LogEntry[]>;
}

interface Options {
  readonly runcloud: Pick<RunCloud, 'readLog'>;
  /** Called with each page: the log of this program is for operators, who may read all of it. */
  readonly onPage?: ((app: WebApplication, entries: readonly LogEntry[]) => void) | undefined;
}

const FRESH_MS = 60_000;
/** The clocks of RunCloud and Redis may differ so much. */
const CLOCK_SKEW_MS = 120_000;
/** The longest wait, for the rate limiter and RunCloud together. */
const TIMEOUT_MS = 10_000;

interface Page {
  /** By Redis' clock. */
  readonly readAt: number;
  readonly entries: Promise<readonly LogEntry[]>;
}

/** Read recently, and late enough after the order to have its result. */
const covers = ({ readAt }: Page, { orderedAt, now }: FailedOrder): boolean =>
  now - readAt < FRESH_MS && readAt - orderedAt >= (now - orderedAt) / 2;

export function createLogReader({ runcloud, onPage }: Options): LogReader {
  const pages = new Map<string, Page>();

  const read = async (app: WebApplication, since: number, calls: CallOptions): Promise<LogEntry[]> => {
    // Without the job's signal: the page is shared, and one stopped job must not fail the others.
    const { onCall, onUnavailable, waitSignal } = calls;
    try {
      const options = { onCall, onUnavailable, waitSignal, signal: AbortSignal.timeout(TIMEOUT_MS) };
      const entries = await runcloud.readLog(app, since, options);
      onPage?.(app, entries);
      return entries;
    } catch {
      return [];
    }
  };

  return {
    async since(app, order, calls = {}) {
      const key = `${app.serverId}:${app.appId}`;
      const known = pages.get(key);
      const earliest = order.orderedAt - FRESH_MS - CLOCK_SKEW_MS;
      const page =
        known && covers(known, order) ? known : { readAt: order.now, entries: read(app, earliest, calls) };
      pages.set(key, page);
      const since = order.orderedAt - CLOCK_SKEW_MS;
      return (await page.entries).filter(({ at }) => at === undefined || at >= since);
    },
  };
}
