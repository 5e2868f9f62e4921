// The sentences about redeploys, each once.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/jobs/redeploy/messages.ts';

const SHOP = 'shop.example.org';
const AT = Date.UTC(2026, 10, 24, 10, 5, 12);
const LATER = AT + 600_000;
const found = ['a', 'b', 'c', 'd', 'e'].map((label) => ({
  name: `${label}.example.org`,
  sentence: `${label}.example.org has no address in DNS`,
}));
const ordered = { appId: 646, at: AT, maxNames: 100 };

const said: { readonly [name in keyof typeof messages]: unknown } = {
  covered: messages.covered([SHOP, 'a.example.org', 'b.example.org', 'c.example.org']),
  sharedOrdered: [
    messages.sharedOrdered({ ...ordered, changed: undefined, names: undefined }),
    messages.sharedOrdered({ ...ordered, changed: 1, names: 85 }),
  ],
  sharedFull: messages.sharedFull(646, 101, 100),
  alreadyOrdered: messages.alreadyOrdered(3, AT),
  noCertificate: messages.noCertificate(646),
  noDomains: messages.noDomains(646),
  domainOrdered: messages.domainOrdered(AT),
  domainAlreadyOrdered: messages.domainAlreadyOrdered(AT),
  domainsOrdered: messages.domainsOrdered(2, AT),
  nothingToOrder: messages.nothingToOrder,
  about: messages.about(SHOP, messages.domainOrdered(AT)),
  domainCovered: messages.domainCovered(SHOP),
  notAttached: messages.notAttached,
  othersWait: messages.othersWait,
  answerLost: [messages.answerLost(AT, LATER, 'SSL_COOLDOWN'), messages.answerLost(AT, LATER)],
  notShown: messages.notShown(AT, LATER),
  rejected: [
    messages.rejected('RunCloud rejected the order (HTTP 422)', undefined, LATER),
    messages.rejected('RunCloud rejected the order (HTTP 422)', 'Possible causes: x', LATER),
  ],
  superseded: messages.superseded,
  busy: messages.busy,
  stillByDns: messages.stillByDns(SHOP),
  sharedBlocked: [
    messages.sharedBlocked({ domains: 12, found: found.slice(0, 1), doubtful: undefined }),
    messages.sharedBlocked({ domains: 6, found, doubtful: 5 }),
  ],
};

test('every sentence about redeploys', () => {
  expect(said).toMatchSnapshot();
});
