// Runs one program to its end: it gets each signal once, and nothing of it stays behind.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** One Ctrl-C arrives up to twice, from the terminal and from npm. A second one by hand is later. */
const sameSignalMs = 500;

/** Arguments for node: the program ends by SIGTERM when this process is gone, even by SIGKILL. */
export const dieWithParent = ['--import', fileURLToPath(new URL('./die-with-parent.mjs', import.meta.url))];

function forwardSignals(child) {
  const lastAt = {};
  const forward = (signal) => {
    const now = performance.now();
    if (now - (lastAt[signal] ?? -Infinity) > sameSignalMs) child.kill(signal);
    lastAt[signal] = now;
  };
  for (const signal of signals) process.on(signal, forward);
  return () => {
    for (const signal of signals) process.off(signal, forward);
  };
}

/**
 * Resolves with the exit code (128 + n after signal n). The child leads its own session: a Ctrl-C reaches it
 * through this process only, and its own children not before it has decided what to do.
 * `onStart(child)` gets the running child.
 */
export function run(command, args, { onStart, ...options }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', ...options, detached: true });
    const release = forwardSignals(child);
    child.once('error', (error) => {
      release();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      release();
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nothing of it is left, as it must be.
      }
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
    onStart?.(child);
  });
}
