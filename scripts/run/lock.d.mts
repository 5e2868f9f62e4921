// Types of what tests use of lock.mjs.
export function withLock<T>(
  path: string,
  work: (recordPid: (pid: number) => void) => Promise<T>,
  tell?: (line: string) => void,
): Promise<T>;
