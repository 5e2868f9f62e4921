// A reading that many ask for and that is taken seldom. A reading that takes long is taken the more seldom, so that looking
// never costs more than a twentieth of what there is to look at.

export function cached<T>(read: () => Promise<T>, freshMs: number): () => Promise<T> {
  let reading: Promise<T> | undefined;
  let endsAt = 0;
  return () => {
    if (reading && performance.now() < endsAt) return reading;
    const startedAt = performance.now();
    endsAt = Number.POSITIVE_INFINITY; // whoever asks meanwhile gets this one
    const current = read();
    reading = current;
    current.then(
      () => {
        const tookMs = performance.now() - startedAt;
        endsAt = performance.now() + Math.max(freshMs, 20 * tookMs);
      },
      () => {
        endsAt = 0;
      },
    );
    return current;
  };
}
