// The sentences of the health checks, as people read them.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/health/messages.ts';

test('the sentences', () => {
  const { dueFor, notTaken, reconciledAgo, workersRunning, ...constants } = messages;
  for (const sentence of Object.values(constants)) expect(sentence).toEqual(expect.any(String));
  expect({
    ...constants,
    dueFor: [dueFor(0), dueFor(61_000)],
    notTaken: notTaken(301_000),
    reconciledAgo: reconciledAgo(61_000),
    workersRunning: workersRunning(2, 7),
  }).toMatchSnapshot();
});
