// The sentences about orders of certificates, each once.
import { expect, test } from '@jest/globals';
import type { FailingName } from '../../src/certificates/failing-names.ts';
import type { LastOrder, Refusal } from '../../src/certificates/ledger.ts';
import * as messages from '../../src/certificates/messages.ts';

const SHOP = 'shop.example.org';
const AT = Date.UTC(2026, 10, 24, 9, 50);
const nextAt = Date.UTC(2026, 10, 24, 9, 59, 0, 1);
const unclear: FailingName = { name: SHOP, why: 'unjudged', sentence: `${SHOP} could not be queried` };
const fresh = ['a.example.org', 'b.example.org'].map(
  (name): FailingName => ({ name, why: 'new', sentence: messages.notOnLast(name) }),
);

const last: LastOrder = {
  names: [SHOP, 'a.example.org'],
  orderedAt: AT,
  failures: 1,
  hasFailed: true,
  failingNames: [unclear],
  issued: undefined,
  isLost: false,
  replaces: undefined,
};
const refusals: Refusal[] = (
  [
    ['certificates-per-week', 'example.org', 50],
    ['certificates-per-week', 'example.org', 10],
    ['duplicates-per-week', 'a.example.org and 2 more', 5],
    ['orders-per-3-hours', 'all certificates', 300],
    ['failures-per-hour', 'a.example.org', 5],
    ['failed-issuance', 'a.example.org', undefined],
  ] as const
).map(([limit, subject, of]) => ({ kind: 'refused', limit, subject, of, nextAt }));
const failed: Refusal = { kind: 'refused', limit: 'failed-issuance', subject: SHOP, nextAt };
const befores = [
  { last, isSame: true },
  { last, isSame: false },
  { last: { ...last, hasFailed: false }, isSame: false },
];

const forDomains = [
  ...refusals.map((refusal) => messages.refusedByForDomains(refusal)),
  ...befores.map((before) => messages.refusedByForDomains(failed, before)),
];

const said: { readonly [name in keyof typeof messages]: unknown } = {
  flapping: messages.flapping(SHOP, AT),
  notOnLast: messages.notOnLast(SHOP),
  namedInLog: messages.namedInLog(SHOP),
  possibleCauses: [[], [unclear], fresh.slice(0, 1), [unclear, ...fresh]].map(messages.possibleCauses),
  countCauses: [0, 1, 2].map(messages.countCauses),
  logSays: [
    messages.logSays(undefined, 646),
    messages.logSays({ kind: 'elsewhere' }, 646),
    messages.logSays({ kind: 'lines', text: '"ACME order failed"' }, 646),
  ],
  refusedBy: [
    ...refusals.map((refusal) => messages.refusedBy(refusal)),
    ...befores.map((before) => messages.refusedBy(failed, before)),
  ],
  refusedByForDomains: forDomains,
};

test('every sentence about orders of certificates', () => {
  expect(said).toMatchSnapshot();
});

test('what the domains of a shared certificate read names none of them', () => {
  for (const sentence of forDomains) expect(sentence).not.toContain('example.org');
});

test('the next attempt is rounded up to the minute', () => {
  for (const refusal of refusals) expect(messages.refusedBy(refusal)).toContain('2026-11-24 10:00 UTC');
});
