// What a job's handler may return. Everything else it throws (errors.ts). Imports nothing of ours.

/** The wanted state is reached; `sentence` says how, for the operator. */
export interface Done {
  readonly kind: 'done';
  readonly sentence: string;
}

/** A newer request for the same domain has taken over; nothing was done. */
export interface Superseded {
  readonly kind: 'superseded';
  readonly sentence: string;
}

/** The world is not ready: look again after `delayMs`. Costs no attempt. */
export interface Waiting {
  readonly kind: 'waiting';
  readonly sentence: string;
  readonly delayMs: number;
}

export type Outcome = Done | Superseded | Waiting;

export const done = (sentence: string): Done => ({ kind: 'done', sentence });
export const superseded = (sentence: string): Superseded => ({ kind: 'superseded', sentence });
export const waiting = (sentence: string, delayMs: number): Waiting => ({
  kind: 'waiting',
  sentence,
  delayMs,
});
