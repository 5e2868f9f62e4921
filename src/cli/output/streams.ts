// Writing to standard output and standard error, and knowing whether it was written. cli.ts hands in the streams.
import { fstatSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';

export interface Output {
  write(text: string): void;
  /** Resolves when all is written, with the code of the first error (`ENOSPC`, `EPIPE`); undefined: nothing is missing. */
  written(): Promise<string | undefined>;
  /** Whether all is taken, and nobody can read it: /dev/null, which Node also puts where a descriptor was closed (`>&-`). */
  readonly isDiscarded: boolean;
}

export interface OutputStream {
  readonly fd: number;
  write(text: string, encoding: 'utf8', done: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? 'unknown error';

/** A file or a device, which Node's stream writes in one call, without a look at how much of it was taken. */
function isFile(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isFile() || stats.isCharacterDevice();
  } catch {
    return false;
  }
}

function isDevNull(fd: number): boolean {
  try {
    const stats = fstatSync(fd);
    return stats.isCharacterDevice() && stats.rdev === statSync(devNull).rdev;
  } catch {
    return false;
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let taken = 0; taken < bytes.length; ) taken += writeSync(fd, bytes, taken);
}

/**
 * `byStream`: for a terminal, and where something else than file descriptor `fd` stands behind the stream. `onFailed` hears of the
 * first error only. Never throws.
 */
export function createOutput(
  stream: OutputStream,
  byStream: boolean,
  onFailed: (code: string) => void = () => undefined,
): Output {
  let failed: string | undefined;
  const fail = (error: unknown): void => {
    if (failed !== undefined) return;
    failed = codeOf(error);
    onFailed(failed);
  };
  const isDirect = !byStream && isFile(stream.fd);
  // Without a listener an error would end the process.
  stream.on('error', fail);
  const send = (text: string): Promise<void> =>
    new Promise((resolve) => {
      stream.write(text, 'utf8', (error) => {
        if (error) fail(error);
        resolve();
      });
    });
  return {
    isDiscarded: !byStream && isDevNull(stream.fd),
    write(text) {
      if (failed !== undefined) return;
      if (!isDirect) return void send(text);
      try {
        writeAll(stream.fd, text);
      } catch (error) {
        fail(error);
      }
    },
    async written() {
      if (!isDirect && failed === undefined) await send('');
      return failed;
    },
  };
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on the device',
  EDQUOT: 'the quota is used up',
  EPIPE: 'nobody reads it any more',
  EIO: 'the device failed',
  EBADF: 'it is closed',
};

/** Why output could not be written, in words. */
export const toOutputReason = (code: string): string => `${reasons[code] ?? 'it failed'} (${code})`;
