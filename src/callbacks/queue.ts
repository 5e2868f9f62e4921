// A queue of deliveries: its name, what its jobs hold, and how long they stay.
import { type JobsOptions, type Queue, UnrecoverableError } from 'bullmq';
import { QUEUE_NAME } from '../jobs/catalog.ts';
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
  /** What proves that a worker wrote all of this (outbox.ts); '' where nothing does. */
  readonly seal: string;
}

/** What a seal is about. */
export const sealedParts = (type: string, delivery: Omit<DeliveryData, 'seal'>): string[] => {
  const { messageId, target, domain = '', at, body } = delivery;
  return [messageId, target, type, domain, String(at), body];
};

/** Deliveries that have ended stay for a week, for the list and for replays. */
export const RETENTION = { age: 7 * 24 * 3600, count: 10_000 };

const JOB_OPTIONS: JobsOptions = {
  // Time ends it, not a count (judge.ts).
  attempts: 1_000,
  backoff: { type: 'custom' },
  stackTraceLimit: 1,
  removeOnComplete: RETENTION,
  removeOnFail: RETENTION,
};

export const toDeliveryId = (messageId: string, target: string): string => `${messageId}_${target}`;

/** The URL's id in a delivery's; '' where it is none. */
export const targetOf = (deliveryId: string): string => deliveryId.split('_')[3] ?? '';

/** Adding under an id that the queue holds already changes nothing. */
export async function addDelivery(
  queue: Queue,
  id: string,
  type: MessageType,
  data: DeliveryData,
): Promise<void> {
  await queue.add(type, data, { ...JOB_OPTIONS, jobId: id });
}

export const toType = (name: string): MessageType | undefined => messageTypes.find((type) => type === name);

/** It stands in logs and lists, whoever wrote it. */
const MAX_DOMAIN = 300;

/** Undefined where it is no delivery of ours: whoever can write to Redis can add jobs. */
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

/** How many stand where. */
export type DeliveryCounts = Readonly<
  Record<'waiting' | 'active' | 'delayed' | 'failed' | 'completed', number>
>;

export async function countDeliveries(queue: Queue): Promise<DeliveryCounts> {
  const found = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed', 'completed');
  const { waiting = 0, active = 0, delayed = 0, failed = 0, completed = 0 } = found;
  return { waiting, active, delayed, failed, completed };
}

/** What BullMQ is told of a delivery that is not tried again. */
export function givenUp(sentence: string): UnrecoverableError {
  const error = new UnrecoverableError(sentence);
  error.stack = sentence;
  return error;
}
