// What a command may do to the outside: print. No other part of the command line writes to a
// stream.
import { toVisible } from '../../untrusted/visible-text.ts';
import { notWritten, outputReason } from '../messages.ts';
import { wrapAll } from './layout.ts';
import { createOutput, type OutputStream } from './streams.ts';

export interface Terminal {
  /** Standard output: the result. */
  out(line: string): void;
  /** Standard error: progress, warnings, errors. */
  err(line: string): void;
  /**
   * Resolves when all of standard output is written, with the reason when something is missing. For
   * a secret that is shown once: the command that calls it reports the loss itself. Every other
   * command ends quietly when its reader is gone.
   */
  written?(): Promise<string | undefined>;
  /** Milliseconds since the epoch: relative times count from here. */
  readonly now: () => number;
  /** How long a line may be; undefined: a program reads it, and nothing is cut or wrapped. */
  readonly columns?: number | undefined;
}

export interface TerminalOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly streams: { readonly stdout: OutputStream; readonly stderr: OutputStream };
  readonly clock: () => number;
  /** In a cluster the file descriptors are the primary's: PM2 has streams of its own there. */
  readonly isClusterWorker: boolean;
  /** The reader of standard output is gone (`| head`), and the command need not report it. */
  readonly onReaderGone: () => void;
}

export interface OpenTerminal extends Terminal {
  /** From now on `scrub` takes the configuration's secrets out of all that is printed. */
  hide(scrub: (text: string) => string): void;
  /**
   * Resolves when both streams are written; false when standard output is incomplete, which is
   * reported.
   */
  close(): Promise<boolean>;
}

export function openTerminal(options: TerminalOptions): OpenTerminal {
  const { env, streams, clock, isClusterWorker, onReaderGone } = options;
  const byStream = ({ isTTY }: OutputStream): boolean => isTTY === true || isClusterWorker;
  let scrub = (text: string): string => text;
  let reportsLoss = false;
  const onFailed = (code: string): void => {
    if (code === 'EPIPE' && !reportsLoss) onReaderGone();
  };
  const output = createOutput(streams.stdout, byStream(streams.stdout), onFailed);
  // An error that cannot be reported there cannot be reported at all. It ends nothing.
  const errors = createOutput(streams.stderr, byStream(streams.stderr));
  const errorColumns = terminalColumns(streams.stderr, env);
  const err = (text: string): void => errors.write(`${wrapAll(toVisible(scrub(text)), errorColumns)}\n`);
  return {
    out: (line) => output.write(`${toVisible(scrub(line))}\n`),
    err,
    async written() {
      reportsLoss = true;
      const code = await output.written();
      if (output.isDiscarded) return outputReason('closed');
      return code === undefined ? undefined : outputReason(code);
    },
    now: clock,
    columns: terminalColumns(streams.stdout, env),
    hide(by) {
      scrub = by;
    },
    async close() {
      const code = await output.written();
      const isLost = code !== undefined && code !== 'EPIPE';
      if (isLost) err(notWritten(code));
      await errors.written();
      return !isLost;
    },
  };
}

const USUAL_COLUMNS = 80;

/** How long a line may be: by COLUMNS, else by the terminal. Undefined if there is no terminal. */
export function terminalColumns(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
): number | undefined {
  const given = Number(env.COLUMNS);
  if (Number.isInteger(given) && given >= 20) return given;
  if (!isTTY) return undefined;
  return columns || USUAL_COLUMNS;
}
