// The watch: now and then one worker looks at every domain that was done, and says where one is no longer as it was. It writes
// nothing to RunCloud, unless WATCH_REPAIR says that what is missing may be asked for again.
import type { Redis } from 'ioredis';
import { reasonOf } from '../errors.ts';
import type { Intent } from '../intent/intent.ts';
import { namesOfIntent } from '../intent/names.ts';
import { judgeWatch, type Watched } from '../intent/watch.ts';
import type { Look } from '../jobs/look.ts';
import type { Logger } from '../logger.ts';
import type { Directory } from '../runcloud/directory.ts';
import type { RequestQueue } from './requests.ts';
import { createTurns, type Turns } from './turns.ts';

export interface WatchOptions {
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly directory: Directory;
  readonly logger: Logger;
  /** Undefined where neither DNS nor TLS is looked at: then there is nothing to watch. */
  readonly look: Look | undefined;
  /** True while RunCloud is down or refuses us: then its list is not read. */
  readonly isHeld: () => Promise<boolean>;
  readonly intervalMs: number;
  readonly repair: boolean;
}

export interface Watcher extends Turns {
  /** Looks once, whatever the others do. */
  watch(): Promise<void>;
}

/** The watcher's turn, in Redis: one worker per interval. */
const TURN = 'watch';
/** Domains that are looked at together. */
const BATCH = 10;

export function createWatcher(options: WatchOptions): Watcher {
  const { redis, requests, logger, intervalMs } = options;
  const turns = createTurns({
    redis,
    key: requests.keyOf(TURN),
    intervalMs,
    run: (signal) => watchAll(options, signal),
    onError: (error) => logger.warn({ event: 'watch-failed' }, `watch: ${reasonOf(error)}`),
  });
  return { watch: () => watchAll(options, new AbortController().signal), ...turns };
}

async function watchAll(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { requests, look, isHeld, logger } = options;
  if (!look) return;
  const startedAt = await requests.intents.now();
  const mayRead = !(await isHeld());
  const watch = async (intent: Intent): Promise<void> => {
    try {
      await watchOne(intent, look, { ...options, startedAt, mayRead }, signal);
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ event: 'watch-blind', domain: intent.domain }, `watch: ${reasonOf(error)}`);
    }
  };
  const batch: Intent[] = [];
  for await (const intent of requests.intents.scan()) {
    if (signal.aborted) return;
    if (intent.state === 'settled' && intent.wish.want === 'present') batch.push(intent);
    if (batch.length === BATCH) await Promise.all(batch.splice(0).map(watch));
  }
  await Promise.all(batch.map(watch));
}

async function watchOne(
  intent: Intent,
  look: Look,
  options: WatchOptions & { readonly startedAt: number; readonly mayRead: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { requests, directory, startedAt, mayRead, repair } = options;
  const calls = { signal };
  const [evidence, sighting] = await Promise.all([
    look.all(intent, namesOfIntent(intent), calls),
    mayRead ? directory.find(intent, intent.domain, startedAt, calls) : undefined,
  ]);
  const isAttached = sighting && sighting.attached !== undefined;
  const watched = judgeWatch(intent.domain, isAttached, evidence);
  if (!watched) return;
  if (await requests.intents.noteWatched(intent, intent.jobId, watched)) tell(intent, watched, options);
  if (repair) await mend(intent, watched, requests);
}

function tell(
  { domain, serverId, appId }: Intent,
  { sentence, report }: Watched,
  { logger }: WatchOptions,
): void {
  const { stage, mustAct } = report;
  const level = stage === 'held' ? 'warn' : 'info';
  const event = `domain-${stage}`;
  logger[level]({ event, domain, serverId, appId, ...(mustAct && { mustAct }) }, `${domain}: ${sentence}`);
}

async function mend(intent: Intent, { repair }: Watched, requests: RequestQueue): Promise<void> {
  if (repair === 'attach') await requests.renew(intent);
  if (repair === 'redeploy') await requests.requestRedeploy(intent, { domain: intent.domain, atOnce: true });
}
