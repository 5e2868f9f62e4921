// The name in the audit log and in a pause: the user of this machine.
import { userInfo } from 'node:os';

/** In a container the user may have only a number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

export const operatorName = (): string => `cli:${userName()}`;
