// What a job waits for before its handler runs: RunCloud, or the end of a pause.
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutOthers } from '../domains/other-names.ts';
import { waiting } from '../domains/outcome.ts';
import type { ReasonCode } from '../domains/reasons.ts';
import type { Unavailable } from '../rate-limit/limiter.ts';
import * as messages from './messages.ts';
import type { Pause, Pauses } from './pauses.ts';
import type { Run } from './run.ts';
import type { Task } from './task.ts';
import { Ended, handedBack, verdictOfOutcome } from './verdict.ts';

export interface WaitObserver {
  /** No job can run, and this one begins to wait; once per reason. */
  waits(reason: Reason['kind']): void;
}

export interface WaitOptions {
  /** Why no job can call RunCloud now. */
  readonly unavailable: () => Promise<Unavailable | undefined>;
  readonly pauses: Pick<Pauses, 'pausedBy'>;
  readonly observer?: WaitObserver | undefined;
}

type Reason = Omit<Unavailable, 'kind'> & { readonly kind: Unavailable['kind'] | 'paused' };

const reasonCodes: Readonly<Record<Reason['kind'], ReasonCode>> = {
  paused: 'paused',
  rate: 'runcloud-rate-limited',
  throttled: 'runcloud-rate-limited',
  outage: 'runcloud-outage',
  credentials: 'runcloud-unauthorized',
  account: 'runcloud-account-refused',
};

/** A waiting job checks this often. */
const CHECK_MS = 1_000;
/** After `resume` all jobs continue within this. */
const PAUSE_CHECK_MS = 60_000;

/**
 * The job keeps its place, untouched: at most `concurrency` jobs wait here, all others stay in the queue. A newer request
 * may overtake it. A pause of everything is treated like an outage: ten thousand jobs must not move once a minute and lose
 * their order. (BullMQ's own pause has no end, no reason and no scope.) Throws Ended if the worker stops.
 */
export async function waitWhileUnavailable(
  run: Run,
  task: Task,
  options: WaitOptions,
  draining: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([run.signal, draining]);
  let reported: string | undefined;
  for (let reason = await findReason(options); reason; reason = await findReason(options)) {
    if (reason.kind !== reported) await report(reason, run, task, options);
    reported = reason.kind;
    await sleep(Math.min(reason.waitMs, CHECK_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new Ended(handedBack);
  }
}

async function findReason({ pauses, unavailable }: WaitOptions): Promise<Reason | undefined> {
  const pause = await pauses.pausedBy({});
  return pause ? { kind: 'paused', ...toWait(pause) } : unavailable();
}

const toWait = (pause: Pause) => ({
  waitMs: Math.min(pause.leftMs ?? PAUSE_CHECK_MS, PAUSE_CHECK_MS),
  sentence: messages.pausedBy(pause),
});

async function report(
  { kind, ...reason }: Reason,
  run: Run,
  task: Task,
  { observer }: WaitOptions,
): Promise<void> {
  observer?.waits(kind);
  // It stands in the record of every domain, so it names none.
  const sentence = withoutOthers(reason.sentence);
  run.log('warn', messages.waitingFor(sentence), { event: kind === 'paused' ? kind : 'unavailable', kind });
  const nextRunAt = Date.now() + reason.waitMs;
  await task.record({ kind: 'waiting', sentence, nextRunAt, report: { reasonCode: reasonCodes[kind] } });
}

/** A narrower pause must not take places from other web applications: the job goes behind what is requested now. */
export async function assertNotPaused(task: Task, { pauses }: WaitOptions): Promise<void> {
  const pause = await pauses.pausedBy(task.subject);
  if (!pause) return;
  const { sentence, waitMs } = toWait(pause);
  const outcome = waiting(withoutOthers(sentence), waitMs, { reasonCode: 'paused' });
  throw new Ended({ ...verdictOfOutcome(outcome, Date.now()), goesBehind: true });
}
