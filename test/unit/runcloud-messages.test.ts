// The sentences of failed RunCloud calls, each once.
import { expect, test } from '@jest/globals';
import type { Operation } from '../../src/runcloud/errors.ts';
import * as messages from '../../src/runcloud/messages.ts';

const operations: readonly Operation[] = [
  'ping',
  'getServer',
  'getWebApplication',
  'listDomains',
  'attachDomain',
  'changeDomain',
  'detachDomain',
  'readLog',
  'getSslMode',
  'getCertificate',
  'listCertificates',
  'installCertificate',
  'redeployCertificate',
  'removeCertificate',
  'getDomainCertificate',
  'installDomainCertificate',
  'redeployDomainCertificate',
  'removeDomainCertificate',
  'switchDomainToHttp01',
];

const { faults } = messages;
const at = (status: number) => ({ operation: 'attachDomain', status }) as const;

test('every sentence of a failed call', () => {
  expect({
    stopped: [
      ...operations.map((operation) => messages.stopped(operation, 'before')),
      messages.stopped('listDomains', 'while'),
    ],
    refused: [
      messages.refused('credentials', { operation: 'ping', status: 401 }, 'Missing API Token.'),
      messages.refused('payment', at(402), undefined),
      messages.refused('account', { operation: 'ping', status: 403 }, undefined),
      messages.refused('forbidden', at(403), undefined),
      messages.refused('not-found', { operation: 'listDomains', status: 404 }, messages.checkIds),
      messages.refused('throttled', at(429), 'Too Many Attempts.'),
      messages.refused('rejected', at(422), 'The name has already been taken.'),
      messages.refused('unclear', at(503), '503 Service Unavailable'),
      messages.refused('intercepted', at(302), messages.redirected),
    ],
    unusableReply: [
      faults.noJson,
      faults.noFields,
      faults.noList,
      faults.namelessDomain,
      faults.noCertificateId,
      faults.noSslMode,
      faults.listOnOnePage,
      faults.endless(500),
      faults.changing(40, undefined),
      faults.changing(40, 45),
    ].map((fault) => messages.unusableReply('listDomains', fault)),
    tooLong: messages.tooLong('getCertificate'),
    badCredentials: messages.badCredentials,
    noAnswer: messages.noAnswer('detachDomain', 'socket hang up'),
    unreachable: messages.unreachable('attachDomain', 'connect ECONNREFUSED 127.0.0.1:1'),
    advancedMode: messages.advancedMode(646),
  }).toMatchSnapshot();
});
