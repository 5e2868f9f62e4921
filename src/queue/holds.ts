// What holds a job before it is performed: all of them while nothing can be done, or a pause of its web application or site.
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutOthers } from '../domains/other-names.ts';
import { waiting } from '../domains/outcome.ts';
import type { Unavailable } from '../rate-limit/limiter.ts';
import type { JobObserver } from './observer.ts';
import { type Pause, type Pauses, toPausedSentence } from './pauses.ts';
import type { Task } from './perform.ts';
import type { Run } from './run.ts';
import { type Verdict, verdictOfOutcome } from './verdict.ts';

export interface WaitOptions {
  /** What holds all jobs at this moment: an outage, refused credentials, a closed gate. */
  readonly unavailable: () => Promise<Unavailable | undefined>;
  /** What a person has paused. */
  readonly pauses: Pick<Pauses, 'pausedBy'>;
  readonly observer?: JobObserver | undefined;
}

// A job that is taken while nothing can be done keeps its place, untouched: at most `concurrency` jobs wait here, all others
// stay in the queue, and a newer request may overtake it meanwhile. False where the worker stops: then it goes back.
export async function isReleased(
  run: Run,
  task: Task,
  options: WaitOptions,
  draining: AbortSignal,
): Promise<boolean> {
  const signal = AbortSignal.any([run.signal, draining]);
  let said: string | undefined;
  for (let held = await heldOf(options); held; held = await heldOf(options)) {
    if (said !== held.kind) {
      options.observer?.waits(held.kind);
      const event = held.kind === 'paused' ? 'paused' : 'unavailable';
      run.say('warn', `waiting: ${held.sentence}`, { event, kind: held.kind });
      const nextRunAt = Date.now() + held.waitMs;
      const report = held.kind === 'paused' ? PAUSED : undefined;
      await task.record({ kind: 'waiting', sentence: held.sentence, nextRunAt, report });
    }
    said = held.kind;
    await sleep(Math.min(held.waitMs, HOLD_LOOK_MS), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
  }
  return true;
}

const HOLD_LOOK_MS = 1_000;

const PAUSED = { reasonCode: 'paused' } as const;

// The sentence stands in the record of every domain: it names none, whatever RunCloud or a person wrote.
// A pause of everything is a hold like an outage: were each job sent away to look again every minute, ten thousand of them would
// be taken and moved sixty times an hour, and lose their order. (BullMQ's own pause knows no end, no reason and no scope.)
async function heldOf({ pauses, unavailable }: WaitOptions): Promise<Held | undefined> {
  const pause = await pauses.pausedBy({});
  const held = pause
    ? { kind: 'paused' as const, waitMs: waitOf(pause), sentence: toPausedSentence(pause) }
    : await unavailable();
  return held && { ...held, sentence: withoutOthers(held.sentence) };
}

type Held = Omit<Unavailable, 'kind'> & { readonly kind: Unavailable['kind'] | 'paused' };

// A narrower pause must not keep the places of a worker from the other web applications: its jobs step aside, behind what is
// asked for now. They have been claimed, so that one which a newer request has overtaken ends, and the record says why it waits.
export const verdictOfPause = (pause: Pause): Verdict => ({
  ...verdictOfOutcome(waiting(withoutOthers(toPausedSentence(pause)), waitOf(pause), PAUSED), Date.now()),
  goesBehind: true,
});

/** After `resume` all goes on within this. */
const PAUSE_LOOK_MS = 60_000;

const waitOf = ({ leftMs = PAUSE_LOOK_MS }: Pause): number => Math.min(leftMs, PAUSE_LOOK_MS);
