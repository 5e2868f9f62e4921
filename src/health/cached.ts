// A value that many read. It is read again seldom: never more than a twentieth of the time is spent on it.

export function cached<T>(read: () => Promise<T>, freshMs: number): () => Promise<T> {
  let current: Promise<T> | undefined;
  let endsAt = 0;
  return () => {
    if (current && performance.now() < endsAt) return current;
    const startedAt = performance.now();
    endsAt = Number.POSITIVE_INFINITY; // others get this one meanwhile
    const started = read();
    current = started;
    started.then(
      () => {
        const tookMs = performance.now() - startedAt;
        endsAt = performance.now() + Math.max(freshMs, 20 * tookMs);
      },
      () => {
        endsAt = 0;
      },
    );
    return started;
  };
}
