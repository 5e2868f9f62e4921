// The sentences of the probes, each once.
import { expect, test } from '@jest/globals';
import { adviseAddress, adviseUnproxied } from '../../src/probes/dns-records.ts';
import * as messages from '../../src/probes/messages.ts';

const [NAME, WWW] = ['shop.example.org', 'www.shop.example.org'];
const [OURS, OURS_TOO, THEIRS, THEIRS_6] = ['203.0.113.7', '203.0.113.8', '198.51.100.9', '2001:db8::1'];
const CLOUD = ['104.21.0.1', '172.67.0.1'];
const DAY = Date.parse('2026-10-30T00:00:00Z');

const view = { name: NAME, twin: undefined, expected: [OURS], external: [THEIRS], right: [], cname: [] };
const changes = {
  set: adviseAddress(view),
  add: adviseAddress({ ...view, external: [] }),
  addWww: adviseAddress({ ...view, name: WWW, twin: NAME, external: [], expected: [OURS, OURS_TOO] }),
  replaceCname: adviseAddress({ ...view, cname: ['old.example.net'] }),
  removeAaaa: adviseAddress({ ...view, external: [THEIRS_6, '2001:db8::2'], right: [OURS] }),
  setAndRemove: adviseAddress({ ...view, external: [THEIRS, THEIRS_6] }),
  unproxied: adviseUnproxied(view),
};
const caa = (value: string) => ({ name: NAME, type: 'CAA', value, alternatives: [], proxied: null }) as const;
const allow = caa('0 issue "letsencrypt.org"');

const fact = messages.pointsElsewhere(NAME, [THEIRS], [OURS]);
const behind = messages.behindCloudflare(NAME, CLOUD);
const forbids = { at: 'example.org', records: ['issue digicert.com'], challenge: undefined };
const caaFact = messages.caaForbids(NAME, forbids);

test('every sentence of the probes', () => {
  expect({
    list: [[], ['a'], ['a', 'b'], ['a', 'b', 'c', 'd', 'e']].map((items) => messages.list(items, 'and')),
    describeAddressChanges: Object.entries(changes).map(
      ([kind, advice]) => `${kind}: ${advice && messages.describeAddressChanges(advice)}`,
    ),
    describeCaaChanges: [
      messages.describeCaaChanges({ set: [allow], remove: [] }),
      messages.describeCaaChanges({ set: [allow], remove: [caa('128 tbs "x"'), caa('128 tbs "y"')] }),
    ],
    queryFailed: [
      messages.queryFailed(NAME, 'ETIMEOUT'),
      messages.queryFailed(messages.queriedRecords('AAAA', NAME), 'ESERVFAIL'),
      messages.queryFailed(messages.queriedRecords('CAA', NAME), 'ESERVFAIL'),
    ],
    noExpectedAddress: messages.noExpectedAddress(NAME),
    pointsHere: messages.pointsHere(NAME, [OURS, OURS_TOO]),
    reachesThrough: messages.reachesThrough(NAME, CLOUD),
    followsOtherName: messages.followsOtherName(WWW, NAME),
    noAddress: [messages.noAddress(NAME, true), messages.noAddress(NAME, false)],
    deadCname: messages.deadCname(NAME, 'a.example.net', 'b.example.net'),
    pointsElsewhere: fact,
    pointsElsewhereToo: messages.pointsElsewhereToo(NAME, [OURS], [THEIRS]),
    leftoverAaaa: [
      messages.leftoverAaaa(NAME, [THEIRS_6]),
      messages.leftoverAaaa(NAME, [THEIRS_6, '2001:db8::2']),
    ],
    withRemedy: messages.withRemedy(fact, 'set its A record to 203.0.113.7') + messages.notReached,
    uncheckedAddress: messages.uncheckedAddress(fact, 'HTTP 503', 'set its A record to 203.0.113.7'),
    behindCloudflare: behind,
    uncheckedCloudflare: messages.uncheckedCloudflare(behind, 'HTTP 522', [OURS]),
    hiddenByCloudflare: messages.hiddenByCloudflare(behind, [OURS]),
    wrongBehindCloudflare: messages.wrongBehindCloudflare(behind, [OURS, OURS_TOO]),
    caaForbids: [
      caaFact,
      messages.caaForbids(NAME, { ...forbids, challenge: 'http-01' }),
      messages.caaForbids(NAME, { ...forbids, records: ['issue a', 'issue b', 'issue c', 'issue d'] }),
    ],
    caaOfTarget: messages.caaOfTarget(caaFact, 'x.example.net', {
      own: 'replace its CNAME to x.example.net with an A record with 203.0.113.7',
      theirs: 'add `0 issue "letsencrypt.org"`',
    }),
    caaOfOneAccount: messages.withDoubt(
      messages.pointsHere(NAME, [OURS]),
      messages.caaOfOneAccount(NAME, 'https://acme-v02.api.letsencrypt.org/acme/acct/1'),
    ),
    wrongCertificate: [
      messages.wrongCertificate(NAME, [], 0),
      messages.wrongCertificate(NAME, [], 5),
      messages.wrongCertificate(NAME, [WWW], 1),
    ],
    expired: messages.expired(NAME, DAY),
    notYetValid: messages.notYetValid(NAME, DAY),
    untrusted: [
      messages.untrusted(NAME, "Let's Encrypt R11", 'CERT_HAS_EXPIRED'),
      messages.untrusted(NAME, undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT'),
    ],
    covers: [messages.covers(NAME, DAY), messages.covers(NAME, Number.NaN)],
    noHandshake: messages.noHandshake(NAME, '203.0.113.7:443', 'ECONNREFUSED'),
    zoneQueryFailed: [messages.zoneQueryFailed(NAME, 'ETIMEOUT'), messages.zoneQueryFailed(NAME, undefined)],
    zoneProviderUnknown: messages.zoneProviderUnknown(NAME, ['ns1.example.org', 'ns2.example.org']),
    zoneWithinReach: messages.zoneWithinReach('example.org', ['ada.ns.cloudflare.com']),
    zoneOutOfReach: messages.zoneOutOfReach('example.org', ['ns1.elsewhere.example']),
  }).toMatchSnapshot();
});
