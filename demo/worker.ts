// The real worker as a process of its own, as in production: its environment, its log lines. Only its delays are the demo's. Nothing of
// the user's own configuration reaches it.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { abortable } from './interruption.ts';
import { type LogLine, parseLogLine } from './log-line.ts';

export interface DemoWorker {
  readonly pid: number;
  /** Every line so far. */
  readonly lines: readonly LogLine[];
  /** The first line, past or future, that `fits`; `what` names it in the error. */
  until(what: string, fits: (line: LogLine) => boolean): Promise<LogLine>;
  stop(): Promise<void>;
}

export interface DemoWorkerOptions {
  readonly environment: Readonly<Record<string, string>>;
  /** A folder without a `.env`. */
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: LogLine) => void;
  /** Called when it ends without a stop. */
  readonly onDeath: (error: Error) => void;
}

const program = fileURLToPath(new URL('quick-worker.ts', import.meta.url));
const dieWithParent = new URL('../scripts/run/die-with-parent.mjs', import.meta.url).href;
/** All that it inherits: enough to find files and to know the time zone, no RUNCLOUD_*, no NODE_OPTIONS, no proxy. */
const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ'];
/** A limit against hanging, with room for a busy machine. */
const TIMEOUT_MS = 60_000;
const STOP_MS = 1500;

function start({
  environment,
  cwd,
}: DemoWorkerOptions): ChildProcess & { stdout: Readable; stderr: Readable } {
  const kept = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return spawn(process.execPath, ['--import', dieWithParent, program], {
    cwd,
    env: { ...Object.fromEntries(kept), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // In a session of its own: a Ctrl-C in the terminal ends the demo, and the demo ends its worker.
    detached: true,
  });
}

export function startWorker(options: DemoWorkerOptions): DemoWorker {
  const child = start(options);
  const lines: LogLine[] = [];
  const waiting = new Set<(line: LogLine) => void>();
  const output: string[] = [];
  createInterface({ input: child.stderr }).on('line', (text) => output.push(text));
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = parseLogLine(text);
    if (line === undefined) return void output.push(text);
    lines.push(line);
    options.onLine(line);
    for (const check of waiting) check(line);
  });
  let isStopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  void ended.then(() => {
    if (!isStopping)
      options.onDeath(new Error(`The worker has ended unexpectedly: ${lastLine(output, lines)}`));
  });
  return {
    pid: child.pid ?? 0,
    lines,
    until: (what, fits) => waitFor({ what, fits, lines, waiting, signal: options.signal }),
    async stop() {
      isStopping = true;
      await end(child, ended);
    },
  };
}

interface Awaited {
  readonly what: string;
  readonly fits: (line: LogLine) => boolean;
  readonly lines: readonly LogLine[];
  readonly waiting: Set<(line: LogLine) => void>;
  readonly signal: AbortSignal;
}

async function waitFor({ what, fits, lines, waiting, signal }: Awaited): Promise<LogLine> {
  const known = lines.find(fits);
  if (known !== undefined) return known;
  let check: (line: LogLine) => void = () => undefined;
  const found = new Promise<LogLine>((resolve) => {
    check = (line) => fits(line) && resolve(line);
    waiting.add(check);
  });
  const limit = new AbortController();
  const late = sleep(TIMEOUT_MS, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`The worker did not log ${what} within ${TIMEOUT_MS / 1000} s.`);
  });
  late.catch(() => undefined);
  try {
    return await abortable(Promise.race([found, late]), signal);
  } finally {
    limit.abort();
    waiting.delete(check);
  }
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

const lastLine = (output: readonly string[], lines: readonly LogLine[]): string =>
  output.at(-1) ?? lines.at(-1)?.msg ?? 'it wrote nothing';
