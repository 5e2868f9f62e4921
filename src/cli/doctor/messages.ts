// The sentences of doctor: pure functions from facts to text.

export const ONE_AT_A_TIME = 'Use --survey or --try-domain, one after the other.';
export const CERTIFICATE_NEEDS_TRIAL = '--with-certificate needs --try-domain.';
export const CHECKS_ONLY = '--json and --redis-only are for the plain checks only.';
export const configurationRead = (hasDotEnv: boolean): string =>
  `read from ${hasDotEnv ? 'the environment and .env' : 'the environment; there is no .env here'}`;
export const NO_TARGET =
  'Name the web application: --server <id> --app <id>, or set RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID.';
export const fileExists = (file: string): string =>
  `${file} exists already. Name another file with --out <file>.`;
export const NO_CREDENTIALS =
  'No RunCloud credentials are configured. Set RUNCLOUD_API_TOKEN, or RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET.';
export const saved = (file: string): string =>
  `Saved: ${file}. It contains statuses, types and field names only. Please add it to an issue of this project.`;
export const surveyReads = (appId: number, calls: number): string =>
  `The survey reads how RunCloud answers for web application ${appId}, in ${calls} calls at most. It changes nothing:`;
export const CONFIRM_CALLS = 'Send these calls? [y/N]';
export const NOBODY_TO_CONFIRM = 'Nothing was sent: there is no terminal to confirm on. Add --yes.';
export const NOTHING_SENT = 'Nothing was sent.';
export const surveyStopped = (why: string): string => `The survey stopped early: ${why}.`;
export const surveyRejected = (why: string, fix: string): string => `${why}. Nothing was saved. ${fix}`;
export const RUN_DOCTOR = 'Run `doctor` to see what RunCloud answers.';
export const trialWrites = (name: string): string =>
  `--try-domain writes: it attaches ${name} and removes it again. Add --yes.`;
export const TRIAL_STOPPING = 'Stopping: everything written is removed again.';
export const trialLeft = (name: string, journal: string): string =>
  `An earlier trial of ${name} did not end (${journal}). Removing what it left.`;
export const TRIAL_CLEANED = 'Removed. Run the command again to start the trial.';
export const TRIAL_STOPPED = 'stopped by a person';
