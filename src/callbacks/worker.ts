// Carries the deliveries to one URL out: one attempt per run, the next one when judge.ts says so.
import type { LookupFunction } from 'node:net';
import { type Job, RateLimitError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Seals } from '../domains/outbox.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger/logger.ts';
import { closeWorker, counted } from '../queue/close-worker.ts';
import { RetryLater, toBackoff } from '../queue/settle.ts';
import { type Circuit, createCircuit } from './circuit.ts';
import { type Attempt, type Judgement, judge, KEEP_TRYING_MS } from './judge.ts';
import {
  type DeliveryData,
  givenUp,
  RETENTION,
  sealedParts,
  toDelivery,
  toQueueName,
  toType,
} from './queue.ts';
import type { DeliveryQueues } from './queues.ts';
import { send, TIMEOUT_MS } from './send.ts';
import type { Target } from './targets.ts';

export interface DeliveryWorkerOptions {
  readonly redis: Redis;
  readonly queuePrefix: string;
  readonly keyOf: (name: string) => string;
  readonly queues: Pick<DeliveryQueues, 'of'>;
  readonly target: Target;
  readonly secrets: readonly string[];
  readonly seals: Pick<Seals, 'holds'>;
  readonly logger: Logger;
  readonly scrub: (text: string) => string;
  /** Hears of BullMQ's own troubles, most of them Redis'. */
  readonly onError: (error: Error) => void;
  /** Told of each delivery that no worker wrote. */
  readonly onForged?: (() => void) | undefined;
  readonly timeoutMs?: number | undefined;
  /** Tests only. */
  readonly lookup?: LookupFunction | undefined;
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
/** Beyond the time limit of an attempt, until a probe counts as lost. */
const PROBE_SLACK_MS = 5_000;
/** BullMQ knows a queue that waits only where it has a limit: one that is never met. */
const NO_LIMIT = { max: 1_000_000, duration: 1_000 };

export function createDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorker {
  const { redis, queuePrefix, keyOf, hurry, timeoutMs = TIMEOUT_MS } = options;
  const { id } = options.target;
  const stopping = new AbortController();
  const key = keyOf(`callback-circuit:${id}`);
  const circuit = createCircuit({ redis, key, hurry, probeMs: timeoutMs + PROBE_SLACK_MS });
  const { process, isIdle } = counted((job: Job) => deliver(job, options, circuit, stopping.signal));
  const worker = new Worker(toQueueName(id), process, {
    connection: redis,
    prefix: queuePrefix,
    concurrency: CONCURRENCY,
    limiter: NO_LIMIT,
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
  if (!delivery) throw givenUp('no delivery of ours: its data cannot be read');
  if (!isOurs(job, delivery, options))
    return end(job, delivery, options, { kind: 'failed', sentence: FORGED });
  const isOld = Date.now() - job.timestamp >= KEEP_TRYING_MS;
  const waitMs = await circuit.enter(job.id ?? '');
  if (waitMs > 0 && isOld) return end(job, delivery, options, { kind: 'failed', sentence: NO_TURN });
  if (waitMs > 0) throw await stepBack(waitMs, options);
  const attempt = await sendTo(delivery, options, signal);
  // Nobody's fault: another worker sends it, soon.
  if ('error' in attempt && signal.aborted) throw new RetryLater(attempt.error, STOPPED_MS);
  const judged = judge(attempt, {
    attemptsMade: job.attemptsMade + 1,
    ageMs: Date.now() - job.timestamp,
    nowMs: Date.now(),
    random: Math.random(),
  });
  await noteOutcome(job, attempt, judged, options, circuit);
  return end(job, delivery, options, judged);
}

const FORGED =
  'no worker with one of these CALLBACK_SECRETS wrote this delivery for this URL, or it was changed since: nothing is signed or sent';
const NO_TURN = 'its receiver takes nothing, as other deliveries show; given up after three days';

function isOurs(
  { name }: Job,
  delivery: DeliveryData,
  { target, seals, onForged }: DeliveryWorkerOptions,
): boolean {
  const isIt = delivery.target === target.id && seals.holds(delivery.seal, sealedParts(name, delivery));
  if (!isIt) onForged?.();
  return isIt;
}

const sendTo = (
  { messageId, body }: DeliveryData,
  { target, secrets, timeoutMs, lookup }: DeliveryWorkerOptions,
  signal: AbortSignal,
): Promise<Attempt> =>
  send({ url: target.url, messageId, body, secrets, signal, timeoutMs, lookup }).catch((error: unknown) => ({
    error: reasonOf(error),
  }));

/** To the front of its queue, which no worker takes from until then; no attempt is spent. */
async function stepBack(waitMs: number, { queues, target }: DeliveryWorkerOptions): Promise<Error> {
  await queues.of(target.id).rateLimit(waitMs);
  return new RateLimitError();
}

/** Tells the circuit. A 410 is an answer too: the receiver is well. */
async function noteOutcome(
  job: Job,
  attempt: Attempt,
  { kind }: Judgement,
  { queues, target: { id, shown }, logger }: DeliveryWorkerOptions,
  circuit: Circuit,
): Promise<void> {
  if (kind === 'delivered' || ('status' in attempt && attempt.status === 410)) {
    if (!(await circuit.succeeded())) return;
    await queues.of(id).removeRateLimitKey();
    logger.info({ event: 'callback-circuit-closed', url: shown }, `${shown} answers again`);
    return;
  }
  const { waitMs, times } = await circuit.failed(job.id ?? '');
  if (waitMs > 0) await queues.of(id).rateLimit(waitMs);
  if (times === 1)
    logger.warn(
      { event: 'callback-circuit-open', url: shown },
      `${shown} did not take several messages in a row: its other messages wait, and one at a time tests it`,
    );
}

/** Says what came of it, and tells BullMQ. */
function end(
  job: Job,
  delivery: DeliveryData,
  { target, scrub, logger, hurry = 1 }: DeliveryWorkerOptions,
  judged: Judgement,
): string {
  const sentence = scrub(judged.sentence);
  report(job, delivery, target, { ...judged, sentence }, logger);
  if (judged.kind === 'delivered') return sentence;
  if (judged.kind === 'failed') throw givenUp(sentence);
  throw new RetryLater(sentence, Math.ceil(judged.delayMs / hurry));
}

const levels = { delivered: 'info', retry: 'warn', failed: 'error' } as const;

function report(
  job: Job,
  { messageId, domain }: DeliveryData,
  { shown }: Target,
  { kind, sentence, ...judged }: Judgement,
  logger: Logger,
): void {
  const next = 'delayMs' in judged ? `; again in ${Math.ceil(judged.delayMs / 1000)} s` : '';
  logger[levels[kind]](
    {
      event: `callback-${kind}`,
      messageId,
      type: toType(job.name) ?? 'unknown',
      url: shown,
      ...(domain !== undefined && { domain }),
      attempt: job.attemptsMade + 1,
    },
    `callback ${toType(job.name) ?? 'of no known type'}${domain ? ` of ${domain}` : ''} to ${shown}: ${sentence}${next}`,
  );
}
