// A queue of deliveries: its name, the data of its jobs, and how long they are kept.
import { type JobsOptions, type Queue, UnrecoverableError } from 'bullmq';
import { type ReasonCode, reasons } from '../domains/reasons.ts';
import { QUEUE_NAME } from '../jobs/catalog.ts';
import type { DeliveryError } from './judge.ts';
import { isTime, type MessageType, messageTypes } from './message.ts';

/** `target`: the id of the URL. */
export const toQueueName = (target: string): string => `${QUEUE_NAME}-callbacks-${target}`;

/** One message to one URL. */
export interface DeliveryData {
  readonly messageId: string;
  /** Which of the configured URLs, see targets.ts. */
  readonly target: string;
  readonly domain?: string | undefined;
  readonly at: number;
  readonly body: string;
  /** Proves that a worker wrote all of this (outbox.ts). Empty: nothing proves it. */
  readonly seal: string;
}

/** The parts that a seal covers. */
export const sealedParts = (type: string, delivery: Omit<DeliveryData, 'seal'>): string[] => {
  const { messageId, target, domain = '', at, body } = delivery;
  return [messageId, target, type, domain, String(at), body];
};

/** Deliveries that have ended are kept for a week, for the list and for replays. Seconds. */
export const RETENTION = { age: 7 * 24 * 3600, count: 10_000 };

const JOB_OPTIONS: JobsOptions = {
  // judge.ts gives up by time, not by count.
  attempts: 1_000,
  backoff: { type: 'custom' },
  stackTraceLimit: 1,
  removeOnComplete: RETENTION,
  removeOnFail: RETENTION,
};

export const toDeliveryId = (messageId: string, target: string): string => `${messageId}_${target}`;

/** The URL's id within a delivery's id; '' if there is none. */
export const targetOf = (deliveryId: string): string => deliveryId.split('_')[3] ?? '';

/** If the queue has the id already, nothing changes. */
export async function addDelivery(
  queue: Queue,
  id: string,
  type: MessageType,
  data: DeliveryData,
): Promise<void> {
  await queue.add(type, data, { ...JOB_OPTIONS, jobId: id });
}

export const toType = (name: string): MessageType | undefined => messageTypes.find((type) => type === name);

/** It is shown in logs and lists, and anybody who can write to Redis may have written it. */
const MAX_DOMAIN = 300;

/** Undefined if it is no delivery of ours: anybody who can write to Redis can add jobs. */
export function toDelivery(data: unknown): DeliveryData | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { messageId, target, domain, at, body, seal } = data as Record<string, unknown>;
  if (typeof messageId !== 'string' || !/^msg_\w+$/.test(messageId)) return undefined;
  if (typeof target !== 'string' || typeof body !== 'string' || !isTime(at)) return undefined;
  return {
    ...{ messageId, target, at, body },
    domain: typeof domain === 'string' && domain.length <= MAX_DOMAIN ? domain : undefined,
    seal: typeof seal === 'string' ? seal : '',
  };
}

/** By BullMQ's state. */
export type DeliveryCounts = Readonly<
  Record<'waiting' | 'active' | 'delayed' | 'failed' | 'completed', number>
>;

export async function countDeliveries(queue: Queue): Promise<DeliveryCounts> {
  const found = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed');
  const { waiting = 0, active = 0, delayed = 0, failed = 0, completed = 0 } = found;
  return { waiting, active, delayed, failed, completed };
}

/** The text that BullMQ keeps of a failed attempt: `receiver-timeout: No answer within 15 s`. */
export const toFailedReason = ({ reasonCode, sentence }: DeliveryError): string =>
  `${reasonCode}: ${sentence}`;

/** The code and the sentence in such a text. Somebody else's text has no code. */
export function parseFailedReason(text: string): {
  readonly reasonCode: ReasonCode | undefined;
  readonly sentence: string;
} {
  const [, code = '', sentence = ''] = /^([a-z-]+): (.*)$/s.exec(text) ?? [];
  if (!Object.hasOwn(reasons, code)) return { reasonCode: undefined, sentence: text };
  return { reasonCode: code as ReasonCode, sentence };
}

/** Ends a delivery: BullMQ does not run its job again. */
export function gaveUpError(reason: DeliveryError): UnrecoverableError {
  const error = new UnrecoverableError(toFailedReason(reason));
  error.stack = error.message;
  return error;
}
