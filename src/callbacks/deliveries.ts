// The list of deliveries and the replay of one: for the command line and the HTTP API.
import type { Job } from 'bullmq';
import type { ReasonCode } from '../domains/reasons.ts';
import { reasonOf } from '../errors.ts';
import { alreadyPending, noDelivery, urlNotConfigured } from './messages.ts';
import {
  addDelivery,
  type DeliveryCounts,
  parseFailedReason,
  targetOf,
  toDelivery,
  toDeliveryId,
  toType,
} from './queue.ts';
import type { DeliveryQueues } from './queues.ts';
import { type Target, toTargets } from './targets.ts';

export type DeliveryState = 'pending' | 'delivered' | 'failed';

export interface Delivery {
  /** Names this delivery: one message to one URL, or one replay of it. */
  readonly id: string;
  /** The `webhook-id` that the receiver gets. */
  readonly messageId: string;
  readonly type: string;
  /** Without query; undefined: no longer configured. */
  readonly url: string | undefined;
  readonly domain: string | undefined;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Why the last attempt failed; undefined once it is delivered. */
  readonly lastError: string | undefined;
  /** The same as a code. */
  readonly reasonCode: ReasonCode | undefined;
  /** When the event happened, in milliseconds since the epoch. */
  readonly at: number;
}

export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  /** For the next call; undefined: this was the last page. */
  readonly next: string | undefined;
}

export interface ListOptions {
  /** Default 50. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly failedOnly?: boolean | undefined;
}

export type ReplayResult =
  | {
      readonly id: string;
      readonly kind: 'replayed';
      readonly deliveryId: string;
      readonly messageId: string;
      readonly domain: string | undefined;
    }
  | {
      readonly id: string;
      readonly kind: 'refused';
      readonly why: 'unknown' | 'pending' | 'unconfigured';
      readonly sentence: string;
    };

/** A replay in the audit log. */
export const toReplayEntry = ({
  domain,
  messageId,
  deliveryId,
}: Extract<ReplayResult, { kind: 'replayed' }>): { domains: string[]; detail: string } => ({
  domains: domain === undefined ? [] : [domain],
  detail: `${messageId} as ${deliveryId}`,
});

/** Message, URL, and the mark of a replay. Other ids in the queues are not ours. */
export const isDeliveryId = (text: string): boolean =>
  /^msg_[\da-f]{11,13}_[\da-f]{16}_[\da-f]{10}(_[\da-z]{1,12})?$/.test(text);

export interface Deliveries {
  /** The newest first. */
  list(options?: ListOptions): Promise<DeliveryPage>;
  /**
   * Sends a message again that was delivered or has failed: three more days, the same webhook-id.
   */
  replay(id: string): Promise<ReplayResult>;
  counts(): Promise<DeliveryCounts>;
}

export interface DeliveriesOptions {
  readonly queues: DeliveryQueues;
  /** CALLBACK_URLS */
  readonly urls: readonly string[];
}

const STATES = ['waiting', 'active', 'delayed', 'completed', 'failed'] as const;

export function createDeliveries({ queues, urls }: DeliveriesOptions): Deliveries {
  const targets = toTargets(urls);
  return {
    async list({ limit = 50, cursor, failedOnly = false } = {}) {
      const states = failedOnly ? (['failed'] as const) : STATES;
      const ranges = (target: string) => queues.of(target).getRanges([...states], 0, -1);
      const all = (await Promise.all((await queues.known()).map(ranges))).flat();
      // Ids sort by the time of the message.
      const ids = all
        .filter((id) => isDeliveryId(id) && (cursor === undefined || id < cursor))
        .sort()
        .reverse();
      const shown = ids.slice(0, limit);
      const found = await Promise.all(shown.map((id) => read(id, queues, targets)));
      return {
        deliveries: found.filter((delivery) => delivery !== undefined),
        next: ids.length > limit ? shown.at(-1) : undefined,
      };
    },
    async replay(id) {
      const job = await find(id, queues);
      const delivery = toDelivery(job?.data);
      const type = toType(job?.name ?? '');
      const refused = (why: 'unknown' | 'pending' | 'unconfigured', sentence: string): ReplayResult => ({
        id,
        kind: 'refused',
        why,
        sentence,
      });
      if (!job || !delivery || !type) return refused('unknown', noDelivery(id));
      const state = toState(await job.getState());
      if (state === 'pending') return refused('pending', alreadyPending);
      if (!targets.has(delivery.target)) return refused('unconfigured', urlNotConfigured);
      const { messageId, target } = delivery;
      const deliveryId = `${toDeliveryId(messageId, target)}_${toReplayMark(job, state)}`;
      await addDelivery(queues.of(target), deliveryId, type, delivery);
      // The new one replaces it. If the old record cannot be deleted now, it does no harm.
      if (state === 'failed') await job.remove().catch(reasonOf);
      return { id, kind: 'replayed', deliveryId, messageId, domain: delivery.domain };
    },
    counts: queues.counts,
  };
}

const find = async (id: string, queues: DeliveryQueues): Promise<Job | undefined> => {
  if (!isDeliveryId(id)) return undefined;
  return (
    (await queues
      .of(targetOf(id))
      .getJob(id)
      .catch(() => undefined)) ?? undefined
  );
};

async function read(
  id: string,
  queues: DeliveryQueues,
  targets: ReadonlyMap<string, Target>,
): Promise<Delivery | undefined> {
  // The state first: a delivery that has ended by then has its result in the job.
  const state = toState(await queues.of(targetOf(id)).getJobState(id));
  const job = await find(id, queues);
  const delivery = toDelivery(job?.data);
  if (!job || !delivery) return undefined;
  const { reasonCode, sentence } =
    state === 'delivered' || !job.failedReason
      ? { reasonCode: undefined, sentence: undefined }
      : parseFailedReason(job.failedReason);
  return {
    id,
    messageId: delivery.messageId,
    type: toType(job.name) ?? 'unknown',
    url: targets.get(delivery.target)?.shown,
    domain: delivery.domain,
    state,
    attempts: job.attemptsMade,
    lastError: sentence,
    reasonCode,
    at: delivery.at,
  };
}

/**
 * A failed delivery is replayed once, even by requests at the same moment: the new one replaces it.
 */
const toReplayMark = ({ finishedOn }: Job, state: DeliveryState): string =>
  ((state === 'failed' && finishedOn) || Date.now()).toString(36);

const toState = (state: string): DeliveryState =>
  state === 'completed' ? 'delivered' : state === 'failed' ? 'failed' : 'pending';
