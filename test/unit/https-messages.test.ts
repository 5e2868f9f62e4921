// The sentences from attached to live, each once.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/https/messages.ts';

const SHOP = 'shop.example.org';
const AT = Date.UTC(2026, 10, 24, 10, 5, 12);
const DAY = 86_400_000;
const wrong = [{ sentence: `${SHOP} points to 198.51.100.9, not to 203.0.113.7` }];
const moved = { sentence: 'the DNS of example.org is at ns1.elsewhere.example' };

const said: { readonly [name in keyof typeof messages]: unknown } = {
  findings: messages.findings([...wrong, { sentence: `www.${SHOP} has no address` }]),
  waitsForWww: messages.waitsForWww(SHOP, AT),
  wwwCannotGo: messages.wwwCannotGo(SHOP),
  wwwIsOwnDomain: messages.wwwIsOwnDomain(SHOP),
  wwwWithheld: [true, false].flatMap((changes) => [
    messages.wwwWithheld(SHOP, undefined, changes),
    messages.wwwWithheld(SHOP, `www.${SHOP} has no address`, changes),
  ]),
  wwwMissing: messages.wwwMissing,
  wwwSeparate: messages.wwwSeparate(`www.${SHOP}`),
  wwwRetried: messages.wwwRetried('RunCloud rejected the change', SHOP),
  httpsWorks: [
    messages.httpsWorks({ names: [SHOP], notAfter: undefined, wrong: [] }),
    messages.httpsWorks({ names: [SHOP, `www.${SHOP}`], notAfter: AT, wrong }),
  ],
  isAttached: [messages.isAttached(SHOP, []), messages.isAttached(SHOP, wrong)],
  redeployFollows: messages.redeployFollows(`${SHOP} attached`),
  redeployPending: messages.redeployPending,
  redeployFailed: [messages.redeployFailed(undefined), messages.redeployFailed('there is no certificate')],
  ordered: messages.ordered(AT, AT + 1_800_000),
  notIncluded: messages.notIncluded(AT, [SHOP, `www.${SHOP}`]),
  leftOut: messages.leftOut(AT, [SHOP]),
  removedInRunCloud: messages.removedInRunCloud(SHOP),
  expires: [3 * DAY, 5_000_000, 1_000].map((left) =>
    messages.expires(SHOP, { notBefore: AT + left - 90 * DAY, notAfter: AT + left }, AT),
  ),
  adviseHttp01: [messages.adviseHttp01(SHOP, true), messages.adviseHttp01(SHOP, false)],
  validatedByDns: [messages.validatedByDns(SHOP, true), messages.validatedByDns(SHOP, false)],
  cannotRenew: [messages.cannotRenew(moved, SHOP, true), messages.cannotRenew(moved, SHOP, false)],
  sidelined: messages.sidelined(SHOP, AT),
  newestSidelined: [
    messages.newestSidelined({ failures: 2, name: SHOP, causes: 'Possible causes: x', until: AT }),
    messages.newestSidelined({ failures: 2, name: undefined, causes: undefined, until: undefined }),
  ],
};

test('every sentence about HTTPS', () => {
  expect(said).toMatchSnapshot();
});
