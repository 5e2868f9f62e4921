// The deliveries of callbacks: the list, and the replay of one.
import { z } from 'zod';
import { deliveryRecord, toDeliveryRecord } from '../../api-records/operations.ts';
import { isDeliveryId, toReplayEntry } from '../../callbacks/deliveries.ts';
import { nameOf } from '../auth.ts';
import { noCallbacks, notACursor } from '../messages.ts';
import { Refusal } from '../problems.ts';
import { pageLimit } from './audit.ts';
import { type RouteParts, route } from './route.ts';

export const deliveryPage = z
  .object({
    deliveries: z.array(deliveryRecord),
    nextCursor: z.string().nullable().meta({ description: 'Null: this was the last page' }),
  })
  .meta({ description: 'A page of deliveries, newest first' });

function portOf({ callbacks }: RouteParts) {
  if (callbacks) return callbacks;
  throw new Refusal('not-configured', noCallbacks);
}

export const listDeliveries = route({
  id: 'listDeliveries',
  method: 'GET',
  path: '/v1/callbacks/deliveries',
  role: 'read',
  summary: 'List the deliveries of callbacks, newest first',
  query: z.strictObject({
    cursor: z.string().refine(isDeliveryId, notACursor).optional(),
    limit: pageLimit,
    failed: z
      .enum(['true', 'false'])
      .transform((value) => value === 'true')
      .default(false)
      .meta({ description: '`true`: only those that have failed' }),
  }),
  answer: { status: 200, description: 'A page', schema: deliveryPage },
  refusals: ['not-configured'],
  async handler({ query: { cursor, limit, failed }, parts }) {
    const { deliveries, next } = await portOf(parts).list({ cursor, limit, failedOnly: failed });
    return {
      deliveries: deliveries.map(toDeliveryRecord),
      nextCursor: next ?? null,
    };
  },
});

export const replayReceipt = z
  .object({ id: z.string(), deliveryId: z.string(), messageId: z.string() })
  .meta({ description: 'An accepted replay' });

export const replayDelivery = route({
  id: 'replayDelivery',
  method: 'POST',
  path: '/v1/callbacks/deliveries/{id}:replay',
  role: 'operate',
  summary: 'Send a callback again',
  description: 'The webhook-id stays the same, so the receiver can recognize the message.',
  params: z.object({ id: z.string().min(1).max(400) }),
  answer: { status: 202, description: 'Queued again', schema: replayReceipt },
  refusals: ['not-configured', 'not-found', 'not-replayable'],
  async handler({ params: { id }, caller, parts }) {
    const result = await portOf(parts).replay(id);
    if (result.kind === 'refused')
      throw new Refusal(result.why === 'unknown' ? 'not-found' : 'not-replayable', result.sentence);
    const { deliveryId, messageId } = result;
    await parts.audit.record({ who: nameOf(caller), what: 'replay', ...toReplayEntry(result) });
    return { id, deliveryId, messageId };
  },
});
