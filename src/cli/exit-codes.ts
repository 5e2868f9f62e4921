// The exit codes, and which of them an error gets.
import { hasCode, isReplyError } from '../errors.ts';

/** Exit codes are API; docs/reference/cli.md and `--help` list them. */
export const exitCodes = {
  ok: 0,
  /** It was tried, and it failed: a job, a check. */
  failed: 1,
  /** Bad input or configuration. Nothing was done. */
  usage: 2,
  /** Redis is unreachable, or did not answer in time. Repeating the command is harmless. */
  unavailable: 3,
  /** Ctrl-C: the requests continue. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Why a program cannot listen, with the fix; undefined for every other error. */
export function describeListenError(error: unknown): string | undefined {
  const { syscall, code, address, port } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall !== 'listen' && syscall !== 'bind') return undefined;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Another program uses this port. Stop it, or choose another port',
    EACCES: 'The port is reserved for root. Choose one above 1023',
    EADDRNOTAVAIL: 'This machine does not have this address. Choose one that it has',
  };
  const known = why[code ?? ''];
  const settings = 'SERVER_HOST and SERVER_PORT, or WORKER_ADDRESS';
  return known && `Cannot listen at ${address}:${port}. ${known} (${settings}).`;
}

/** The exit code of an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (hasCode(error, 'redis-unavailable') || isReplyError(error)) return exitCodes.unavailable;
  const isUsage =
    describeListenError(error) !== undefined ||
    hasCode(error, 'invalid-domain', 'invalid-payload', 'no-web-application');
  return isUsage ? exitCodes.usage : exitCodes.failed;
}
