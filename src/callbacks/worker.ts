// Sends the deliveries to one URL: one attempt per run, the next one when judge.ts says so.
import type { LookupFunction } from 'node:net';
import { type Job, RateLimitError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Seals } from '../domains/outbox.ts';
import type { Logger } from '../logger/logger.ts';
import { closeWorker, counted } from '../queue/close-worker.ts';
import { RetryLater, toBackoff } from '../queue/settle.ts';
import { type Circuit, createCircuit } from './circuit.ts';
import { type Attempt, type Judgement, judge, KEEP_TRYING_MS } from './judge.ts';
import { attemptLine, circuitClosed, circuitOpen, circuitOpened, forged, unreadable } from './messages.ts';
import {
  type DeliveryData,
  gaveUpError,
  RETENTION,
  sealedParts,
  toDelivery,
  toFailedReason,
  toQueueName,
  toType,
} from './queue.ts';
import type { DeliveryQueues } from './queues.ts';
import { send, TIMEOUT_MS, unreachable } from './send.ts';
import type { Target } from './targets.ts';

export interface DeliveryWorkerOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly keyOf: (name: string) => string;
  readonly queues: Pick<DeliveryQueues, 'of'>;
  readonly target: Target;
  readonly secrets: readonly string[];
  readonly seals: Pick<Seals, 'matches'>;
  readonly logger: Logger;
  readonly scrub: (text: string) => string;
  /** Called with BullMQ's own errors, most of them Redis'. */
  readonly onError: (error: Error) => void;
  /** Called for each delivery that no worker wrote. */
  readonly onForged?: (() => void) | undefined;
  readonly timeoutMs?: number | undefined;
  /** Tests only. */
  readonly lookup?: LookupFunction | undefined;
  /** Tests only: divides every wait. */
  readonly hurry?: number | undefined;
}

export interface DeliveryWorker {
  ready(): Promise<void>;
  /**
   * Starts nothing new and waits for the current attempts, at most `timeoutMs`. What is cut off is
   * sent again.
   */
  close(timeoutMs: number): Promise<void>;
}

const CONCURRENCY = 5;
/** Above the time limit of an attempt. A crashed worker's delivery is sent again after it. */
const LOCK_MS = 30_000;
const STOPPED_MS = 1_000;
/** Beyond the time limit of an attempt, until a trial counts as lost. */
const TRIAL_SLACK_MS = 5_000;
/** BullMQ lets a queue wait only if it has a limit. This one is never reached. */
const NO_LIMIT = { max: 1_000_000, duration: 1_000 };

export function createDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { redis, queuePrefix, keyOf, hurry, timeoutMs = TIMEOUT_MS } = options;
  const { id } = options.target;
  const stopping = new AbortController();
  const key = keyOf(`callback-circuit:${id}`);
  const circuit = createCircuit({ redis, key, hurry, trialMs: timeoutMs + TRIAL_SLACK_MS });
  const { process, isIdle } = counted((job: Job) => deliver(job, options, circuit, stopping.signal));
  const worker = new Worker(toQueueName(id), process, {
    connection: redis,
    prefix: queuePrefix,
    concurrency: CONCURRENCY,
    limiter: NO_LIMIT,
    lockDuration: LOCK_MS,
    stalledInterval: 10_000,
    // Sending twice is harmless, and no receiver can crash this process.
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
    async close(withinMs) {
      const interrupt = (): void => stopping.abort();
      const closing = { redis, isIdle, timeoutMs: withinMs, handBackMs: withinMs / 2, interrupt };
      await closeWorker(worker, closing);
    },
  };
}

async function deliver(
  job: Job,
  options: DeliveryWorkerOptions,
  circuit: Circuit,
  signal: AbortSignal,
): Promise<string> {
  const delivery = toDelivery(job.data);
  if (!delivery) throw gaveUpError({ reasonCode: 'callback-unreadable', sentence: unreadable });
  if (!isOurs(job, delivery, options))
    return end(job, delivery, options, { kind: 'failed', reasonCode: 'callback-forged', sentence: forged });
  const isOld = Date.now() - job.timestamp >= KEEP_TRYING_MS;
  const waitMs = await circuit.enter(job.id ?? '');
  if (waitMs > 0 && isOld) {
    const expired = { reasonCode: 'receiver-circuit-open', sentence: circuitOpen } as const;
    return end(job, delivery, options, { kind: 'failed', ...expired });
  }
  if (waitMs > 0) throw await stepBack(waitMs, options);
  const attempt = await sendTo(delivery, options, signal);
  // Another worker sends it soon.
  if ('error' in attempt && signal.aborted) {
    const { reasonCode, error } = attempt;
    throw new RetryLater(toFailedReason({ reasonCode, sentence: error }), STOPPED_MS);
  }
  const judged = judge(attempt, {
    attemptsMade: job.attemptsMade + 1,
    ageMs: Date.now() - job.timestamp,
    nowMs: Date.now(),
    random: Math.random(),
  });
  await updateCircuit(job, attempt, judged, options, circuit);
  return end(job, delivery, options, judged);
}

function isOurs(
  { name }: Job,
  delivery: DeliveryData,
  { target, seals, onForged }: DeliveryWorkerOptions,
): boolean {
  const isGenuine =
    delivery.target === target.id && seals.matches(delivery.seal, sealedParts(name, delivery));
  if (!isGenuine) onForged?.();
  return isGenuine;
}

const sendTo = (
  { messageId, body }: DeliveryData,
  { target, secrets, timeoutMs, lookup }: DeliveryWorkerOptions,
  signal: AbortSignal,
): Promise<Attempt> =>
  send({ url: target.url, messageId, body, secrets, signal, timeoutMs, lookup }).catch(unreachable);

/** Back to the front of its queue, which then waits for `waitMs`. No attempt is spent. */
async function stepBack(waitMs: number, { queues, target }: DeliveryWorkerOptions): Promise<Error> {
  await queues.of(target.id).rateLimit(waitMs);
  return new RateLimitError();
}

/** A 410 is an answer too: the receiver works. */
async function updateCircuit(
  job: Job,
  attempt: Attempt,
  { kind }: Judgement,
  { queues, target: { id, shown }, logger }: DeliveryWorkerOptions,
  circuit: Circuit,
): Promise<void> {
  if (kind === 'delivered' || ('status' in attempt && attempt.status === 410)) {
    if (!(await circuit.succeeded())) return;
    await queues.of(id).removeRateLimitKey();
    logger.info({ event: 'callback-circuit-closed', url: shown }, circuitClosed(shown));
    return;
  }
  const { waitMs, times } = await circuit.failed(job.id ?? '');
  if (waitMs > 0) await queues.of(id).rateLimit(waitMs);
  if (times === 1) logger.warn({ event: 'callback-circuit-open', url: shown }, circuitOpened(shown));
}

/** Logs the result and returns it to BullMQ, or throws it. */
function end(
  job: Job,
  delivery: DeliveryData,
  { target, scrub, logger, hurry = 1 }: DeliveryWorkerOptions,
  judged: Judgement,
): string {
  const sentence = scrub(judged.sentence);
  report(job, delivery, target, { ...judged, sentence }, logger);
  if (judged.kind === 'delivered') return sentence;
  const error = { reasonCode: judged.reasonCode, sentence };
  if (judged.kind === 'failed') throw gaveUpError(error);
  throw new RetryLater(toFailedReason(error), Math.ceil(judged.delayMs / hurry));
}

const levels = { delivered: 'info', retry: 'warn', failed: 'error' } as const;

function report(
  job: Job,
  { messageId, domain }: DeliveryData,
  { shown }: Target,
  judged: Judgement,
  logger: Logger,
): void {
  const type = toType(job.name);
  const { kind, sentence } = judged;
  const delayMs = judged.kind === 'retry' ? judged.delayMs : undefined;
  logger[levels[kind]](
    {
      event: `callback-${kind}`,
      messageId,
      type: type ?? 'unknown',
      url: shown,
      ...(domain !== undefined && { domain }),
      ...('reasonCode' in judged && { reasonCode: judged.reasonCode }),
      attempt: job.attemptsMade + 1,
    },
    attemptLine({ type, domain, url: shown, sentence, delayMs }),
  );
}
