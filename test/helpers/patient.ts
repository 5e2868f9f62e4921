// A producer that does what every caller is told to do where Redis did not answer within a second: it sends the request again,
// which is harmless. For tests whose subject is something else; the deadline itself is tested in producer.test.ts.
import type { ProducerApp } from '../../src/app.ts';
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
