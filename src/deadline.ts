// Waiting for a piece of work with an end: a time limit, or the caller's signal. Leaves no timer and no listener behind.
// Not AbortSignal.timeout: its timer does not keep the process alive, and outlives the work.

/** The error of work that did not end in time. */
export const late = (): Error => Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });

/** The value of `work`, or `fallback` after `ms`. */
export async function within<T, F>(work: Promise<T>, ms: number, fallback: F): Promise<T | F> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<F>((resolve) => {
    timer = setTimeout(() => resolve(fallback), ms);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The value of `work`, or a rejection as soon as `signal` aborts. `work` may never settle; what it throws later is ignored.
 * `toError`: of the rejection. Default: the signal's reason.
 */
export function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  toError: () => unknown = () => signal.reason,
): Promise<T> {
  let stop: () => void = () => undefined;
  const end = new Promise<never>((_resolve, reject) => {
    stop = () => reject(toError());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  work.catch(() => undefined);
  return Promise.race([work, end]).finally(() => signal.removeEventListener('abort', stop));
}

/** What heeds the signal has this long to return what it knows. Then nobody waits any more. */
const GRACE_MS = 250;

/**
 * Gives `work` a signal that aborts after `timeoutMs`, or with `signal`. What the work then throws is thrown on: `signal`
 * tells the two ends apart. Work that ignores its signal rejects with `ETIMEDOUT` a moment later.
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
    return await unlessAborted(work(controller.signal), over.signal, late);
  } finally {
    clearTimeout(timer);
    clearTimeout(grace);
    signal?.removeEventListener('abort', end);
  }
}
