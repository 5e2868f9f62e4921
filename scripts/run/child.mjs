// Runs one program to its end: signals reach it once, its exit code comes back, nothing of it stays behind.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** One Ctrl-C arrives here up to twice (from the terminal and from npm); a second one by hand is later. */
const sameSignalMs = 500;

/** Arguments for node: the program ends by SIGTERM when this process is gone, even by SIGKILL. */
export const dieWithParent = ['--import', fileURLToPath(new URL('./die-with-parent.mjs', import.meta.url))];

let interruption;

/** The signal that was last passed on to a program, or undefined: why something may have ended early. */
export const interruptedBy = () => interruption;

function forwardSignals(child) {
  const lastAt = new Map();
  const forward = (signal) => {
    const now = performance.now();
    interruption = { name: signal, number: constants.signals[signal] };
    if (now - (lastAt.get(signal) ?? -Infinity) > sameSignalMs) child.kill(signal);
    lastAt.set(signal, now);
  };
  const onExit = () => child.kill('SIGTERM');
  for (const signal of forwarded) process.on(signal, forward);
  process.on('exit', onExit);
  return () => {
    for (const signal of forwarded) process.off(signal, forward);
    process.off('exit', onExit);
  };
}

/** Ends what the program has left running in its own process group, if anything. */
function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left, as it should be.
  }
}

/**
 * Resolves with the exit code (128 + n after signal n). The child leads a session of its own, so a Ctrl-C
 * reaches it only through us: exactly once, and its own children not before it has decided what to do.
 * `onStart(child)` gets the running child.
 */
export function run(command, args, { cwd, env = process.env, stdio = 'inherit', onStart } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio, detached: true });
    const release = forwardSignals(child);
    child.once('error', (error) => {
      release();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      release();
      endGroup(child.pid);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
    onStart?.(child);
  });
}
