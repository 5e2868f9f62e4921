// The sentences of doctor, each once.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/doctor/messages.ts';

const [NAME, DAY] = ['trial.example.net', 86_400_000];
const NOW = Date.parse('2026-11-27T12:00:00Z');
const box = { serverId: 1903, name: 'box-1', ipAddress: '203.0.113.7' };

test('every sentence of doctor', () => {
  const { fixes, sslKinds, surveyEnds, refusals } = messages;
  expect({
    fixes: { ...fixes, variable: fixes.variable('RUNCLOUD_APP_ID') },
    noCredentials: messages.noCredentials,
    credentialsAccepted: messages.credentialsAccepted,
    variableMissing: messages.variableMissing('RUNCLOUD_SERVER_ID'),
    serverFound: [
      messages.serverFound(box, false),
      messages.serverFound({ serverId: 1903, name: undefined, ipAddress: undefined }, true),
    ],
    webApplicationFound: [
      messages.webApplicationFound(646, 'shop', 1),
      messages.webApplicationFound(646, undefined, 45),
    ],
    sslKinds: { ...sslKinds, advanced: [sslKinds.advanced(false), sslKinds.advanced(true)] },
    willNotRenew: messages.willNotRenew([NAME], 'its DNS is at ns1.elsewhere.example'),
    tokenExpired: messages.tokenExpired(NOW),
    tokenValid: messages.tokenValid(NOW),
    tokenExpires: [1.5, 0.5, 20].map((days) => messages.tokenExpires(NOW + days * DAY, NOW)),
    surveyEnds: {
      ...surveyEnds,
      refused: surveyEnds.refused(401),
      fewCalls: surveyEnds.fewCalls(19),
    },
    refusals: {
      known: refusals.known(NAME, 'requested on web application 700'),
      attached: refusals.attached(NAME, 646),
      autoSsl: refusals.autoSsl(NAME, 646),
      sharedCertificate: refusals.sharedCertificate(646),
    },
    pausedForTrial: messages.pausedForTrial(646),
    stillPaused: messages.stillPaused(646),
    resumedAfterTrial: messages.resumedAfterTrial(646),
    pauseReplaced: messages.pauseReplaced,
    replied: [messages.replied(201), messages.replied(undefined)],
    removedAgain: messages.removedAgain(NAME),
    certificateDelayed: messages.certificateDelayed(40_000),
    checksAgain: [messages.checksAgain(true, 60_000), messages.checksAgain(false, 60_000)],
    mayBeLeft: messages.mayBeLeft(NAME, {
      appId: 646,
      reason: messages.stillListed,
      journal: 'runcloud-try-domain.journal.json',
    }),
    noJournal: messages.noJournal('runcloud-try-domain.journal.json'),
  }).toMatchSnapshot();
});
