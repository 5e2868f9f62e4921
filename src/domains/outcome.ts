// What a job's handler may return. Everything else it throws (errors.ts).
import type { ReasonCode } from './reasons.ts';
import { inSentences } from './sentences.ts';
import type { Actor, DomainState } from './states.ts';

/** The sentence of an outcome. */
export interface Told {
  readonly sentence: string;
  /** The same for the records of the domains that share it: it must not name another customer's domain. */
  readonly forDomains?: string | undefined;
}

/** What an outcome says about the domain; what is left out stays as it was. */
export type Report = {
  /** What was observed: JSON, no secrets. */
  readonly evidence?: object | undefined;
} & (
  | {
      readonly state: DomainState;
      /** Why, for programs; the sentence says it to people. The code of an error if that is the reason. */
      readonly reasonCode: ReasonCode;
      /** With `held`, and with `waiting-for-dns` if a record is wrong. */
      readonly mustAct?: Actor | undefined;
    }
  | {
      readonly state?: undefined;
      readonly reasonCode?: ReasonCode | undefined;
      readonly mustAct?: Actor | undefined;
    }
);

/** The request is fulfilled; `sentence` says how, for the operator. */
export interface Done extends Told {
  readonly kind: 'done';
  readonly report?: Report | undefined;
}

/** A newer request for the same domain has taken over. Nothing was done. */
export interface Superseded {
  readonly kind: 'superseded';
  readonly sentence: string;
}

/** Something else must happen first: the next check is after `delayMs`. It costs no attempt. */
export interface Waiting extends Told {
  readonly kind: 'waiting';
  readonly delayMs: number;
  readonly report?: Report | undefined;
}

export type Outcome = Done | Superseded | Waiting;

export const done = (sentence: string, report?: Report, forDomains?: string): Done => ({
  kind: 'done',
  sentence,
  report,
  forDomains,
});
export const superseded = (sentence: string): Superseded => ({ kind: 'superseded', sentence });
export const waiting = (
  sentence: string,
  delayMs: number,
  report?: Report,
  forDomains?: string,
): Waiting => ({ kind: 'waiting', sentence, delayMs, report, forDomains });

/** The outcome with one more sentence. */
export const adding = <O extends Outcome>(outcome: O, why: string | undefined): O =>
  why ? { ...outcome, sentence: inSentences(outcome.sentence, why) } : outcome;
