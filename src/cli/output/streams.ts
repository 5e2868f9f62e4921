// Writing to standard output and standard error, and knowing whether it was written.
import { fstatSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';

export interface Output {
  write(text: string): void;
  /**
   * Resolves when all is written, with the first error's code (`ENOSPC`, `EPIPE`); undefined: all
   * is there.
   */
  written(): Promise<string | undefined>;
  /**
   * Everything is accepted and nobody can read it: /dev/null. Node opens it also for a closed one
   * (`>&-`).
   */
  readonly isDiscarded: boolean;
}

export interface OutputStream {
  /** The file descriptor, if there is one. */
  readonly fd?: number | undefined;
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, encoding: 'utf8', done: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? 'unknown error';

/**
 * A file or a device. Node's stream writes it in one call, and ignores how much of it was written.
 */
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
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/**
 * `byStream`: for a terminal, and for a stream that is not its file descriptor `fd`. `onFailed`
 * gets the first error only. Never throws.
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
  const { fd } = stream;
  const file = !byStream && fd !== undefined && isFile(fd) ? fd : undefined;
  // Without a listener an error ends the process.
  stream.on('error', fail);
  const send = (text: string): Promise<void> =>
    new Promise((resolve) => {
      stream.write(text, 'utf8', (error) => {
        if (error) fail(error);
        resolve();
      });
    });
  return {
    isDiscarded: file !== undefined && isDevNull(file),
    write(text) {
      if (failed !== undefined) return;
      if (file === undefined) return void send(text);
      try {
        writeAll(file, text);
      } catch (error) {
        fail(error);
      }
    },
    async written() {
      if (file === undefined && failed === undefined) await send('');
      return failed;
    },
  };
}
