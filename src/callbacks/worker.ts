// Carries deliveries out: one attempt per run, the next one when judge.ts says so.
import { type Job, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { closeWorker, counted } from '../queue/close-worker.ts';
import { RetryLater, toBackoff } from '../queue/settle.ts';
import { type Attempt, type Judgement, judge } from './judge.ts';
import { CALLBACK_QUEUE, type DeliveryData, RETENTION, toDelivery } from './queue.ts';
import { send } from './send.ts';
import type { Target } from './targets.ts';

export interface DeliveryWorkerOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly targets: ReadonlyMap<string, Target>;
  readonly secrets: readonly string[];
  readonly logger: Logger;
  readonly scrub: (text: string) => string;
  /** Hears of BullMQ's own troubles, most of them Redis'. */
  readonly onError: (error: Error) => void;
  readonly timeoutMs?: number | undefined;
  /** Tests only: divides every wait. */
  readonly hurry?: number | undefined;
}

export interface DeliveryWorker {
  ready(): Promise<void>;
  /** Takes nothing new, lets what is being sent finish; what does not is sent again later. Never longer than `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

const CONCURRENCY = 5;
/** Above the time limit of an attempt; a dead worker's delivery is made again after it. */
const LOCK_MS = 30_000;
const STOPPED_MS = 1_000;

export function createDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { redis, queuePrefix } = options;
  const stopping = new AbortController();
  const { process, isIdle } = counted((job: Job) => deliver(job, options, stopping.signal));
  const worker = new Worker(CALLBACK_QUEUE, process, {
    connection: redis,
    prefix: queuePrefix,
    concurrency: CONCURRENCY,
    lockDuration: LOCK_MS,
    stalledInterval: 10_000,
    // To send twice is harmless, and no receiver can end this process.
    maxStalledCount: 100,
    removeOnComplete: RETENTION,
    removeOnFail: RETENTION,
    settings: { backoffStrategy: toBackoff },
  });
  worker.on('error', options.onError);
  return {
    async ready() {
      await worker.waitUntilReady();
    },
    async close(timeoutMs) {
      const interrupt = (): void => stopping.abort();
      await closeWorker(worker, { redis, isIdle, timeoutMs, handBackMs: timeoutMs / 2, interrupt });
    },
  };
}

async function deliver(job: Job, options: DeliveryWorkerOptions, signal: AbortSignal): Promise<string> {
  const delivery = toDelivery(job.data);
  if (!delivery) throw givenUp('no delivery of ours: its data cannot be read');
  const target = options.targets.get(delivery.target);
  const { messageId, body } = delivery;
  const { secrets, timeoutMs } = options;
  // While workers are restarted one after the other, one that knows a new URL may hand it to one that does not.
  const attempt: Attempt = target
    ? await send({ url: target.url, messageId, body, secrets, signal, timeoutMs }).catch(
        (error: unknown) => ({ error: reasonOf(error) }),
      )
    : { error: "its URL is not in this worker's CALLBACK_URLS" };
  // Nobody's fault: another worker sends it, soon.
  if ('error' in attempt && signal.aborted) throw new RetryLater(attempt.error, STOPPED_MS);
  const judged = judge(attempt, {
    attemptsMade: job.attemptsMade + 1,
    ageMs: Date.now() - job.timestamp,
    nowMs: Date.now(),
    random: Math.random(),
  });
  const sentence = options.scrub(judged.sentence);
  report(job, delivery, target, { ...judged, sentence }, options.logger);
  if (judged.kind === 'delivered') return sentence;
  if (judged.kind === 'failed') throw givenUp(sentence);
  throw new RetryLater(sentence, Math.ceil(judged.delayMs / (options.hurry ?? 1)));
}

function givenUp(sentence: string): UnrecoverableError {
  const error = new UnrecoverableError(sentence);
  error.stack = sentence;
  return error;
}

const levels = { delivered: 'info', retry: 'warn', failed: 'error' } as const;

function report(
  job: Job,
  { messageId, domain }: DeliveryData,
  target: Target | undefined,
  { kind, sentence, ...judged }: Judgement,
  logger: Logger,
): void {
  const shown = target?.shown ?? 'a URL that is not configured';
  const next = 'delayMs' in judged ? `; again in ${Math.ceil(judged.delayMs / 1000)} s` : '';
  logger[levels[kind]](
    {
      event: `callback-${kind}`,
      messageId,
      type: job.name,
      url: shown,
      ...(domain !== undefined && { domain }),
      attempt: job.attemptsMade + 1,
    },
    `callback ${job.name}${domain ? ` of ${domain}` : ''} to ${shown}: ${sentence}${next}`,
  );
}
