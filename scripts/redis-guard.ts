// Ends a server and removes its temporary folder when this process is gone, however it went (even by SIGKILL).
// A tiny shell in a session of its own reads our pipe: as long as we live the pipe is open.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

const script = `
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then kill -KILL "$pid" 2>/dev/null; fi
if [ -n "$1" ]; then rm -rf -- "$1" || { sleep 1; rm -rf -- "$1"; }; fi
`;

export interface Guard {
  /** Which process must not outlive us from now on; undefined when it has ended. */
  watch(pid: number | undefined): void;
  /** Does at once what our death would cause. */
  release(): Promise<void>;
}

/** `folder` is removed at the end; leave it out for one that has to stay. */
export function startGuard(folder?: string): Guard {
  const shell = spawn('/bin/sh', ['-c', script, 'redis-guard', folder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const ended = once(shell, 'exit');
  ended.catch(() => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return {
    watch: (pid) => void shell.stdin.write(`${pid ?? ''}\n`),
    release: async () => {
      if (shell.exitCode !== null) return;
      shell.ref();
      shell.stdin.end();
      await ended;
    },
  };
}
