// `npm run demo`: the whole of it in one terminal. Starts what it needs, tells a story with it, checks that it came true,
// and leaves nothing running. The only file here that sees argv and exit codes.
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../src/errors.ts';
import { abortable, Interruption, listenForTheEnd } from './interruption.ts';
import { measure } from './measures.ts';
import { showNextSteps, showSecondTerminal } from './next-steps.ts';
import { HELP, parseOptions } from './options.ts';
import { judge } from './promises.ts';
import { createScreen } from './screen.ts';
import { type Stage, setStage, type Theatre } from './stage.ts';
import { play as playStory } from './story.ts';
import { complaint, showSummary } from './summary.ts';

/** Releasing takes about a second. What is left after this ends with this process: each part makes sure of that. */
const RELEASE_MS = 10_000;
const TICK_MS = 100;

const startedAt = Date.now();
const screen = createScreen(process.stdout, startedAt);

/** Plays and judges. With `keep` it returns only when it is interrupted. */
async function play(theatre: Theatre, keep: boolean): Promise<void> {
  screen.text(
    "runcloud-domains: app servers request domains, a worker attaches them until HTTPS works. RunCloud, DNS and Let's Encrypt are simulated, and delays are short. Everything else is real.",
  );
  screen.blank();
  const stage = await setStage(theatre);
  const { signal } = theatre.ending;
  const clock = setInterval(() => screen.status(statusOf(stage)), TICK_MS);
  theatre.releases.defer(() => clearInterval(clock));
  const played = await playStory({ stage, screen, signal });
  const found = await measure(stage, played);
  const promises = judge(found);
  showSummary(screen, found, promises);
  const sentence = complaint(promises);
  if (sentence !== undefined) throw new Error(sentence);
  if (keep) await stayUp(theatre, stage);
}

const statusOf = ({ narrator }: Stage): string | undefined => {
  const next = narrator.next();
  return next && `next: ${next}`;
};

/** The user's Ctrl-C after `--keep` is no failure. */
class Finished extends Error {}

async function stayUp({ ending }: Theatre, { redis, simulator }: Stage): Promise<void> {
  showSecondTerminal(screen, redis, simulator);
  await abortable(new Promise<never>(() => undefined), ending.signal).catch((reason: unknown) => {
    throw reason instanceof Interruption ? new Finished() : reason;
  });
}

/** Prints why the play ended; returns the exit code. */
function explain(error: unknown, { ending }: Theatre): number {
  if (error instanceof Finished) return 0;
  const reason: unknown = ending.signal.aborted ? ending.signal.reason : error;
  if (reason instanceof Interruption) return reason.exitCode;
  process.stderr.write(`${reasonOf(reason)}\n`);
  return 1;
}

/** Resolves with whether all was released in time. */
async function release({ releases }: Theatre): Promise<boolean> {
  screen.status(undefined);
  const late = new AbortController();
  const inTime = releases.disposeAsync().then(() => true);
  inTime.catch(() => undefined);
  const deadline = sleep(RELEASE_MS, false, { signal: late.signal }).catch(() => false);
  const isReleased = await Promise.race([inTime, deadline]).finally(() => late.abort());
  if (!isReleased)
    process.stderr.write('Not everything stopped in time. The rest stops with this process.\n');
  return isReleased;
}

async function run(keep: boolean): Promise<number> {
  const theatre: Theatre = { screen, ending: listenForTheEnd(), releases: new AsyncDisposableStack() };
  let exitCode = 0;
  try {
    await play(theatre, keep);
  } catch (error) {
    exitCode = explain(error, theatre);
  }
  const endedAt = Date.now();
  try {
    if (!(await release(theatre))) return exitCode || 1;
  } catch (error) {
    process.stderr.write(`While stopping: ${reasonOf(error)}\n`);
    return exitCode || 1;
  }
  screen.blank();
  screen.text(`Everything has stopped, nothing is left behind (${Date.now() - endedAt} ms).`);
  if (exitCode === 0 && !keep) showNextSteps(screen);
  return exitCode;
}

const desired = parseOptions(process.argv.slice(2));
if (desired.kind === 'run') process.exit(await run(desired.keep));
if (desired.kind === 'help') process.stdout.write(`${HELP}\n`);
else process.stderr.write(`${desired.sentence}\n`);
process.exitCode = desired.kind === 'help' ? 0 : 2;
