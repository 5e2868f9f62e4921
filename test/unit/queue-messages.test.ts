// The sentences of the queue, as people read them.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/queue/messages.ts';

test('the sentences', () => {
  const report = {
    checked: 40,
    reenqueued: 2,
    quarantined: 1,
    redeploys: 1,
    deduplicationKeys: 0,
    forgotten: 3,
  };
  const other = { appId: 647, state: 'live', as: undefined };
  const named = (isItsWww: boolean) => ({ ...other, as: { domain: 'shop.example.org', isItsWww } });
  const elsewhere = (here: number | undefined, others: messages.Places['others']) =>
    messages.elsewhere({ domain: 'www.shop.example.org', here, others });
  const calls: Record<string, unknown> = {
    pauseInForce: messages.pauseInForce('everything', { by: 'ada', reason: 'moving' }, 'until it is resumed'),
    pausedBy: messages.pausedBy({ by: 'ada', reason: 'moving to another server' }),
    waitingFor: messages.waitingFor('Paused by ada: moving'),
    started: [
      messages.started('add-domain', 'shop.example.org', { attempt: 1, attempts: 5 }, 'by api:shop'),
      messages.started('redeploy-ssl', 'web application 646', { attempt: 2, attempts: 5 }, ''),
    ],
    unknownFields: messages.unknownFields(['colour', 'size']),
    busyWriting: messages.busyWriting('shop.example.org'),
    superseded: messages.superseded('shop.example.org', 'x~2'),
    requestedAgain: messages.requestedAgain('shop.example.org'),
    redeploySuperseded: messages.redeploySuperseded(646),
    shortened: messages.shortened('x'.repeat(2_001)).length,
    outcome: [
      messages.outcome({ kind: 'done', sentence: 'shop.example.org is live' }),
      messages.outcome({ kind: 'waiting', sentence: 'shop.example.org has no A record.', delayMs: 60_000 }),
      messages.outcome({ kind: 'retry', sentence: 'HTTP 503', delayMs: 1_500 }),
    ],
    reconciled: messages.reconciled(report),
    reconcileFailed: messages.reconcileFailed('Redis did not answer'),
    monitorFailed: messages.monitorFailed('Redis did not answer'),
    unreadable: messages.unreadable(646, 'HTTP 503'),
    gaveUp: messages.gaveUp('x~2'),
    enqueuedAgain: messages.enqueuedAgain('shop.example.org', 'its job was lost'),
    noReply: [messages.noReply(90_000), messages.noReply(50)],
    ranTooLong: messages.ranTooLong(3_600_000),
    givenUp: messages.givenUp('The job ran for 60 min'),
    unreadableJob: messages.unreadableJob('7'),
    noFailedJob: messages.noFailedJob('x~2'),
    retrySuperseded: messages.retrySuperseded('x~3'),
    wrongKeyType: messages.wrongKeyType('WRONGTYPE'),
    redisRefused: messages.redisRefused('READONLY'),
    elsewhere: [elsewhere(undefined, [other]), elsewhere(646, [named(true), named(false)])],
  };
  for (const [name, sentence] of Object.entries(messages))
    if (typeof sentence === 'function') expect(calls).toHaveProperty(name);
  const constants = Object.fromEntries(
    Object.entries(messages).filter(([, sentence]) => typeof sentence !== 'function'),
  );
  expect({ ...constants, ...calls }).toMatchSnapshot();
});
