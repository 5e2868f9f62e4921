// What RunCloud said of a web application that it does not know. One answer stands for all domains of it, for a while. Types only.
import type { WebApplication } from './runcloud.ts';

export interface MissingApp {
  /** RunCloud's answer, and that it is remembered. */
  readonly sentence: string;
  /** How often in a row RunCloud itself has said so, with a pause between. */
  readonly answers: number;
  /** It was shown that the web application is gone: see remove-domain. */
  readonly isGone: boolean;
}

export interface MissingApps {
  /** What stands at this moment. Undefined where nothing does, or where it is this caller's turn to ask RunCloud again. */
  recall(app: WebApplication): Promise<MissingApp | undefined>;
  /** RunCloud has said so in its own words, once more. */
  note(app: WebApplication, sentence: string): Promise<Omit<MissingApp, 'sentence'>>;
  noteGone(app: WebApplication): Promise<void>;
  /** RunCloud knows it. */
  forget(app: WebApplication): Promise<void>;
}
