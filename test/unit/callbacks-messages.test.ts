// The sentences of callbacks, as people read them.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/callbacks/messages.ts';

const url = 'https://app.example.org/hooks';
const attempt = { type: 'domain.live', domain: 'shop.example.org', url } as const;

test('the sentences', () => {
  const { answered, attemptLine, circuitClosed, circuitOpened, gaveUp, noDelivery, outboxWaiting } = messages;
  const { redirected, removedLine, timedOut, ...constants } = messages;
  expect({
    ...Object.fromEntries(Object.entries(constants).filter(([, value]) => typeof value === 'string')),
    answered: answered(503),
    attemptLine: [
      attemptLine({ ...attempt, sentence: answered(204) }),
      attemptLine({ ...attempt, sentence: redirected(302), delayMs: 4_100 }),
      attemptLine({ ...attempt, sentence: timedOut(15_000), delayMs: 5_000 }),
      attemptLine({ type: undefined, domain: undefined, url, sentence: messages.forged }),
    ],
    circuitClosed: circuitClosed(url),
    circuitOpened: circuitOpened(url),
    gaveUp: [gaveUp(answered(500)), gaveUp(redirected(301))],
    noDelivery: noDelivery('msg_1_2_3'),
    outboxWaiting: outboxWaiting('Redis did not answer'),
    removedLine: removedLine('domain.live'),
  }).toMatchSnapshot();
});
