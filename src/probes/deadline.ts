// One end for a piece of work: its own deadline, or the caller's signal. Leaves no timer and no listener behind.
// Not AbortSignal.timeout: its timer does not keep the process alive, and runs on when the work is long done.

/** Who heeds the signal has this long to say what it knows, then nobody waits any more. */
const GRACE_MS = 250;

/** The error of whatever has not come in time. */
export const late = (): Error => Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });

/** What `work` becomes, or a rejection as soon as `ended` aborts: `work` may never settle, and nobody hears of it then. */
export function orEnd<T>(work: Promise<T>, ended: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const end = new Promise<never>((_resolve, reject) => {
    stop = () => reject(late());
    if (ended.aborted) stop();
    else ended.addEventListener('abort', stop, { once: true });
  });
  work.catch(() => undefined);
  return Promise.race([work, end]).finally(() => ended.removeEventListener('abort', stop));
}

/**
 * `ended` aborts when either end comes. What the work then throws is thrown on; who tells the two apart asks `signal`. Work that does
 * not heed `ended` is left to itself: it throws `ETIMEDOUT`, a moment after the end.
 */
export async function withDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const over = new AbortController();
  let grace: NodeJS.Timeout | undefined;
  const end = (): void => {
    controller.abort(signal?.reason);
    grace ??= setTimeout(() => over.abort(), GRACE_MS);
  };
  const timer = setTimeout(end, timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  try {
    return await orEnd(work(controller.signal), over.signal);
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    signal?.removeEventListener('abort', end);
  }
}
