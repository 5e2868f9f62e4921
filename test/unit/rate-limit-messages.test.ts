// The sentences of the rate limiter, as people read them.
import { expect, test } from '@jest/globals';
import { unavailableSentence } from '../../src/rate-limit/messages.ts';

test('the sentences', () => {
  expect({
    rate: unavailableSentence('rate', 1_200, ''),
    throttled: unavailableSentence('throttled', 60_000, ''),
    throttledWithWords: unavailableSentence('throttled', 60_000, 'Too Many Attempts.'),
    outage: unavailableSentence('outage', 5_000, String(Date.UTC(2026, 2, 14, 15, 9))),
    credentials: unavailableSentence('credentials', 60_000, 'RunCloud rejected the credentials (HTTP 401)'),
    account: unavailableSentence('account', 600_000, ''),
  }).toMatchSnapshot();
});
