// How the demo is told to end: one signal for everything, with the reason. It stops nothing itself.
import { constants } from 'node:os';

/** Somebody wants the demo to end. Everything else that aborts it is an error. */
export class Interruption extends Error {
  readonly exitCode: number;
  constructor(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE') {
    super(signal);
    this.name = 'Interruption';
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Aborts on Ctrl-C, SIGTERM, a closed terminal or reader, and on errors that nobody has caught. */
export function listenForTheEnd(): AbortController {
  const ending = new AbortController();
  const end = (reason: unknown): void => {
    if (!ending.signal.aborted) ending.abort(reason);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => end(new Interruption(signal)));
  // EPIPE of `npm run demo | head`, EIO of a terminal that is gone.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => end(new Interruption('SIGPIPE')));
  process.on('uncaughtException', end);
  return ending;
}

/** The value of `promise`; rejects with the signal's reason as soon as that is aborted. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
