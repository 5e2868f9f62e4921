// Shows the worker's log lines word for word, repetitions once, and knows what is due next.
import type { LoggedCall, LogLine } from './log-line.ts';
import { createRepeats } from './repeats.ts';
import type { Entry, Screen, Tone } from './screen.ts';

export interface Narrator {
  /** Shows a line of the worker's log. */
  show(line: LogLine): void;
  /** Delays the worker's lines while `work` runs, so a request stands above what it causes. */
  delaying<T>(work: () => Promise<T>): Promise<T>;
  /** What is due next, in words; undefined where nothing is. */
  next(): string | undefined;
  mute(): void;
}

interface Due {
  readonly what: string;
  readonly at: number;
  /** It waits for DNS or a certificate: only a check. */
  readonly isCheck?: boolean;
}

const tones: Readonly<Record<string, Tone>> = {
  done: 'good',
  superseded: 'good',
  waiting: 'careful',
  retry: 'careful',
  failed: 'bad',
  'handed-back': 'careful',
};

export interface NarratorOptions {
  readonly screen: Screen;
  /** What is left out of the paths of API calls. */
  readonly base: string;
  /** The redeploy that waits after a change of `domain`: the one thing that is due and not in the worker's lines. */
  readonly redeployOf: (domain: string) => Promise<{ jobId: string; at: number } | undefined>;
}

export function createNarrator({ screen, base, redeployOf }: NarratorOptions): Narrator {
  const agenda = new Map<string, Due>();
  const subjects = new Map<string, string>();
  const repeats = createRepeats();
  const delayed: LogLine[] = [];
  let delays = 0;
  let isMuted = false;

  const expectRedeploy = async (domain: string): Promise<void> => {
    const redeploy = await redeployOf(domain).catch(() => undefined);
    if (redeploy) agenda.set(redeploy.jobId, { what: 'redeploy-ssl', at: redeploy.at });
  };
  const note = (line: LogLine): void => {
    keepAgenda(line, agenda);
    if (line.domain === undefined) return;
    if (line.outcome !== undefined) void expectRedeploy(line.domain);
    if (line.jobId !== undefined) subjects.set(line.jobId, line.domain);
  };
  const show = (line: LogLine): void => {
    if (isMuted) return;
    if (delays > 0) return void delayed.push(line);
    note(line);
    for (const news of repeats.news(line))
      screen.entry(toEntry(news, { base, subject: subjects.get(news.jobId ?? ''), room: screen.room() }));
  };

  return {
    show,
    async delaying(work) {
      delays += 1;
      try {
        return await work();
      } finally {
        delays -= 1;
        if (delays === 0) for (const line of delayed.splice(0)) show(line);
      }
    },
    next: () => describe(agenda, Date.now()),
    mute: () => {
      isMuted = true;
    },
  };
}

function keepAgenda(
  { jobId, job, domain, attempt = 1, event, outcome, nextRunAt }: LogLine,
  agenda: Map<string, Due>,
): void {
  if (jobId === undefined) return;
  if (event === 'started') agenda.delete(jobId);
  if (nextRunAt === undefined) return;
  const name = [job, domain].filter(Boolean).join(' ');
  const what = outcome === 'retry' ? `${name}, attempt ${attempt + 1}` : name;
  agenda.set(jobId, { what, at: nextRunAt, isCheck: outcome === 'waiting' && domain !== undefined });
}

/** A job that is late by this much was taken by somebody, or is gone. */
const STALE_MS = 3000;

function describe(agenda: ReadonlyMap<string, Due>, nowMs: number): string | undefined {
  const due = [...agenda.values()]
    .filter(({ at }) => at > nowMs - STALE_MS)
    .sort((one, other) => one.at - other.at);
  const { checks = [], others = [] } = Object.groupBy(due, ({ isCheck }) => (isCheck ? 'checks' : 'others'));
  const [first, ...more] = checks;
  const check =
    first && (more.length === 0 ? first : { what: `first of ${checks.length} checks`, at: first.at });
  const texts = [...others, ...(check ? [check] : [])].map(({ what, at }) =>
    at - nowMs < 50 ? `${what} now` : `${what} in ${((at - nowMs) / 1000).toFixed(1)} s`,
  );
  return texts.length === 0 ? undefined : texts.join('; ');
}

interface Setting {
  readonly base: string;
  readonly subject: string | undefined;
  readonly room: number;
}

function toEntry(line: LogLine, setting: Setting): Entry {
  const { time: at, msg, call, outcome, level } = line;
  if (call !== undefined)
    return { at, actor: 'runcloud', tone: 'quiet', fixed: true, text: toCallText(call, setting) };
  const worker = { at, actor: 'worker', text: msg };
  if (outcome !== undefined) return { ...worker, lead: msg.split(' ', 1)[0], tone: tones[outcome] };
  return level === 'warn' || level === 'error' ? { ...worker, tone: 'careful' } : worker;
}

/** `POST   …/domains         -> 503        12 ms  blog.luna.example`; the domain only where it fits. */
function toCallText(
  { method, path, status, durationMs }: LoggedCall,
  { base, subject, room }: Setting,
): string {
  const answer = status === undefined ? 'no reply' : String(status);
  const took = `${Math.round(durationMs)} ms`.padStart(8);
  const text = `${method.padEnd(6)} ${shorten(path, base).padEnd(15)} -> ${answer.padEnd(8)} ${took}`;
  const whole = `${text}  ${subject ?? ''}`.trimEnd();
  return whole.length <= room ? whole : text;
}

/** `…` stands for the web application. */
export const shorten = (path: string, base: string): string =>
  path.startsWith(base) ? `…${path.slice(base.length)}` : path;
