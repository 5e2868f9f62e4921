// For tests whose subject is something else than the second that a producer waits for Redis: a machine that is busy for longer must
// not fail them. The deadline itself is tested in producer.test.ts.

import type { ProducerApp } from '../../src/app/app.ts';
import type { ProducerOptions } from '../../src/app/producer.ts';
import { hasCode } from '../../src/errors.ts';
import { until } from './until.ts';

const resent = <T>(send: () => Promise<T>): Promise<NonNullable<T>> =>
  until(
    () =>
      send().catch((error: unknown) => {
        if (hasCode(error, 'redis-unavailable')) return undefined;
        throw error;
      }),
    'Redis took the request',
  );

/** Where Redis is there all the time. */
export const PATIENT: ProducerOptions = { deadlineMs: 60_000 };

/** Where Redis dies: does what every caller is told to do, sends the request again, which is harmless. */
export function patient(producer: ProducerApp): ProducerApp {
  const { requests } = producer;
  return {
    ...producer,
    ready: async () => {
      await resent(async () => {
        await producer.ready();
        return true;
      });
    },
    requests: { ...requests, enqueue: (...request) => resent(() => requests.enqueue(...request)) },
  };
}
