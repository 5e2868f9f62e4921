// Workers in processes of their own, which tests may kill, freeze and give a wrong clock; their log lines are evidence.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tuning } from '../../src/app/tuning.ts';
import { until } from '../helpers/until.ts';

/** A hang guard for what may take one or two recoveries of a dead worker's job. */
export const PATIENCE_MS = 180_000;

/** Takes a dead worker's job over within two seconds. */
export const IMPATIENT: Tuning = { recovery: { lockMs: 1000, stalledCheckMs: 300 } };

export interface WorkerProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: the command line's own worker, with production's constants. */
  readonly tuning?: Tuning | undefined;
  /** How far its clock is off. */
  readonly skewMs?: number | undefined;
}

export type LogLine = Readonly<Record<string, unknown>>;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
}

export interface WorkerProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has logged, or the lines of one event. */
  lines(event?: string): LogLine[];
  isAlive(): boolean;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** SIGTERM, and waits for the end. */
  terminate(): Promise<Ended>;
}

/** Both ways to read the clock are off; timers and performance.now() are not, as on a machine whose date is wrong. */
const toSkew = (ms: number): string => {
  const module = `const real = Date;
globalThis.Date = class extends real {
  constructor(...given) { super(...(given.length > 0 ? given : [real.now() + ${ms}])); }
  static now() { return real.now() + ${ms}; }
};`;
  return `--import=data:text/javascript,${encodeURIComponent(module)}`;
};

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { event: 'not-json', text: line };
  }
}

/** Sees no configuration but `env`. The end of the test ends it. */
export function spawnWorker({ env, tuning, skewMs = 0 }: WorkerProcessOptions): WorkerProcess {
  const program = tuning ? './tuned-worker.ts' : '../../src/cli/main.ts';
  const args = [tuning ? JSON.stringify(tuning) : 'worker'];
  const cwd = mkdtempSync(join(tmpdir(), 'runcloud-domains-worker-'));
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  const child = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url)), ...args], {
    cwd,
    env: { PATH, HOME, NODE_COMPILE_CACHE, NODE_OPTIONS: skewMs === 0 ? '' : toSkew(skewMs), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]): Ended => {
    rmSync(cwd, { recursive: true, force: true });
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, err };
  });
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  const kill = async (): Promise<void> => {
    if (isAlive()) child.kill('SIGKILL');
    await ended;
  };
  return {
    child,
    ended,
    lines(event) {
      const whole = out.slice(0, out.lastIndexOf('\n') + 1).split('\n');
      const parsed = whole.filter((line) => line !== '').map(parseLine);
      return event === undefined ? parsed : parsed.filter((line) => line.event === event);
    },
    isAlive,
    kill,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async terminate() {
      child.kill('SIGTERM');
      return await ended;
    },
    [Symbol.asyncDispose]: kill,
  };
}

/** Resolves when it takes jobs; throws with what it wrote when it ends instead. */
export async function untilReady(worker: WorkerProcess): Promise<WorkerProcess> {
  await until(
    () => worker.lines('ready').length > 0 || !worker.isAlive(),
    'the worker is ready',
    PATIENCE_MS,
  );
  if (!worker.isAlive()) throw new Error(`the worker ended at its start: ${(await worker.ended).err}`);
  return worker;
}

/** By the lines' own times: the most lines of this level that any second holds. */
export function busiestSecond(worker: WorkerProcess, level: string): number {
  const times = worker
    .lines()
    .filter((line) => line.level === level)
    .map(({ time }) => Date.parse(String(time)));
  return Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + 950).length));
}
