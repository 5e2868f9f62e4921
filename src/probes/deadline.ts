// One end for a piece of work: its own deadline, or the caller's signal. Leaves no timer and no listener behind.
// Not AbortSignal.timeout: its timer does not keep the process alive, and runs on when the work is long done.

/** `ended` aborts when either comes. What the work then throws is thrown on; who tells the two apart asks `signal`. */
export async function withDeadline<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  work: (ended: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const end = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
