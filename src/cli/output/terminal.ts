// What a command may do to the outside: print. cli.ts hands it in, so that no other file touches the console.
import { hasCode, isReplyError } from '../../errors.ts';

export interface Terminal {
  /** Standard output: what was asked for. */
  out(line: string): void;
  /** Standard error: progress, warnings, errors. */
  err(line: string): void;
  /**
   * Resolves when all of standard output is written, with the reason where it is not. For what is shown once: who asks tells the
   * person himself, also where nobody reads any more, which ends every other command quietly.
   */
  written?(): Promise<string | undefined>;
  readonly isTty: boolean;
  /** How long a line may be; undefined: it is read by a program, and nothing is cut or wrapped. */
  readonly columns?: number | undefined;
}

/** Exit codes are API; README.md and `--help` list them. */
export const exitCodes = {
  ok: 0,
  /** It was tried, and it failed: a job, a check. */
  failed: 1,
  /** Bad input or configuration: nothing was done with it. */
  usage: 2,
  /** Redis is away, or did not answer in time. Sending again is harmless. */
  unavailable: 3,
  /** Ctrl-C: the requests go on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What keeps a program from listening, with the way out; undefined for every other error. */
export function describeListenError(error: unknown): string | undefined {
  const { syscall, code, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall !== 'listen' && syscall !== 'bind') return undefined;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'something listens there already: stop that, or choose another port',
    EACCES: 'the port is reserved for root: choose one above 1023',
    EADDRNOTAVAIL: 'this machine has no such address: choose one that it has',
  };
  const known = why[code ?? ''];
  const settings = 'SERVER_HOST and SERVER_PORT, or WORKER_ADDRESS';
  return known && `cannot listen at ${address}:${port}; ${known} (${settings})`;
}

/** The exit code of an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (hasCode(error, 'redis-unavailable') || isReplyError(error)) return exitCodes.unavailable;
  const isUsage =
    describeListenError(error) !== undefined ||
    hasCode(error, 'invalid-domain', 'invalid-payload', 'no-web-application');
  return isUsage ? exitCodes.usage : exitCodes.failed;
}

/** "in 3 min", "2 h ago": times as a person reads them. */
export function toRelative(atMs: number, nowMs: number): string {
  const seconds = Math.round(Math.abs(atMs - nowMs) / 1000);
  const text =
    seconds < 90
      ? `${seconds} s`
      : seconds < 5400
        ? `${Math.round(seconds / 60)} min`
        : seconds < 129_600
          ? `${Math.round(seconds / 3600)} h`
          : `${Math.round(seconds / 86_400)} d`;
  return atMs > nowMs ? `in ${text}` : `${text} ago`;
}
