// The worker processes of the soak: keeps their number up, kills and freezes them, watches their memory and what they print.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PLANTED_SECRETS } from '../packages/simulator/src/index.ts';
import type { Tuning } from '../src/app/tuning.ts';
import { UNLIMITED } from '../test/helpers/unproven.ts';

const program = fileURLToPath(new URL('../test/e2e/tuned-worker.ts', import.meta.url));
const tuning: Tuning = {
  retryPolicy: { attempts: 1_000, backoffMs: 100, backoffMaxMs: 2_000 },
  reconcileIntervalMs: 10_000,
  limits: UNLIMITED,
  throttledMs: 1_000,
};
/** A young process grows on its own. */
const GROWN_UP_MS = 20_000;

export interface Crew extends AsyncDisposable {
  /** kill -9 of one of them; another one takes its place. */
  kill(): Promise<void>;
  /** Stops one of them in its tracks for `ms`, and lets it go on. */
  freeze(ms: number, signal: AbortSignal): Promise<void>;
  killed(): number;
  frozen(): number;
  /** All printed lines that contain a secret. */
  leaked(): string;
  memory(): string;
}

interface Member {
  readonly child: ChildProcess;
  readonly startedAt: number;
  grownUpKb?: number;
  lastKb?: number;
  lastAt?: number;
}

export function createCrew(env: Readonly<Record<string, string>>, size: number): Crew {
  const all: Member[] = [];
  const secrets = Object.values(PLANTED_SECRETS);
  const [counts, leaks] = [{ killed: 0, frozen: 0 }, [] as string[]];

  const hire = (): Member => {
    const { PATH = '', HOME = '' } = process.env;
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    const child = spawn(process.execPath, [program, JSON.stringify(tuning)], {
      env: { PATH, HOME, ...env },
      stdio,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        if (secrets.some((secret) => text.includes(secret))) leaks.push(text);
      });
    }
    const member: Member = { child, startedAt: performance.now() };
    all.push(member);
    return member;
  };
  const present = Array.from({ length: size }, hire);
  const timer = setInterval(() => present.forEach(weigh), 1_000);

  return {
    async kill() {
      const at = Math.floor(Math.random() * size);
      counts.killed += 1;
      await end(present[at]);
      await sleep(1_000);
      present[at] = hire();
    },
    async freeze(ms, signal) {
      const { child } = present[Math.floor(Math.random() * size)] ?? hire();
      counts.frozen += 1;
      child.kill('SIGSTOP');
      await sleep(ms, undefined, { signal }).catch(() => undefined);
      child.kill('SIGCONT');
    },
    killed: () => counts.killed,
    frozen: () => counts.frozen,
    leaked: () => leaks.join('\n'),
    memory() {
      const grown = all.filter(({ grownUpKb }) => grownUpKb !== undefined);
      const age = ({ startedAt, lastAt = 0 }: Member): number => lastAt - startedAt;
      const oldest = grown.sort((a, b) => age(b) - age(a))[0];
      if (!oldest) return 'none lived long enough';
      const [from, to] = [oldest.grownUpKb, oldest.lastKb].map((kb = 0) => (kb / 1024).toFixed(0));
      return `${from} MB at 20 s, ${to} MB at ${(age(oldest) / 1000).toFixed(0)} s`;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await Promise.all(present.map(end));
    },
  };
}

async function end(member: Member | undefined): Promise<void> {
  if (!member || member.child.exitCode !== null || member.child.signalCode !== null) return;
  const ended = once(member.child, 'exit');
  member.child.kill('SIGKILL');
  await ended;
}

// Resident memory from Linux; elsewhere there is none.
function weigh(member: Member): void {
  const age = performance.now() - member.startedAt;
  try {
    const status = readFileSync(`/proc/${member.child.pid}/status`, 'utf8');
    const kb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    if (!Number.isFinite(kb)) return;
    if (age > GROWN_UP_MS) member.grownUpKb ??= kb;
    Object.assign(member, { lastKb: kb, lastAt: performance.now() });
  } catch {
    // It has ended, or this is no Linux.
  }
}
