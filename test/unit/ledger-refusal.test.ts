// What a person reads where an order has to wait.
import { expect, test } from '@jest/globals';
import type { LastOrder } from '../../src/certificates/ledger.ts';
import { describeRefusal, describeRefusalToAll } from '../../src/certificates/ledger-refusal.ts';

const nextAt = Date.UTC(2026, 10, 24, 9, 59, 0, 1);
const until = 'next attempt allowed at 2026-11-24 10:00 UTC';

const refusals = [
  [
    { limit: 'certificates-per-week', subject: 'example.org', of: 50 },
    `Let's Encrypt allows 50 certificates per week for example.org and they are spent; ${until}`,
  ],
  [
    { limit: 'certificates-per-week', subject: 'example.org', of: 10 },
    `the configuration allows 10 certificates per week for example.org and they are spent; ${until}`,
  ],
  [
    { limit: 'duplicates-per-week', subject: 'a.example.org and 2 more' },
    `Let's Encrypt allows 5 certificates per week for exactly the same names (a.example.org and 2 more) and they are spent; ${until}`,
  ],
  [
    { limit: 'orders-per-3-hours', subject: 'all certificates', of: 300 },
    `Let's Encrypt allows 300 orders in 3 hours and they are spent; ${until}`,
  ],
  [
    { limit: 'failures-per-hour', subject: 'a.example.org', of: 5 },
    `Let's Encrypt allows 5 failed validations per hour for a.example.org and they are spent; ${until}`,
  ],
  [
    { limit: 'failed-issuance', subject: 'a.example.org' },
    `the last order for exactly these names (a.example.org) failed; ${until}`,
  ],
] as const;

test.each(refusals)(
  'of %j says what is spent, and rounds up to the minute when it comes back',
  (given, sentence) => {
    expect(describeRefusal({ kind: 'refused', nextAt, ...given })).toBe(sentence);
  },
);

test.each(refusals)('of %j names nobody where a domain shares the certificate with others', (given, _) => {
  const sentence = describeRefusalToAll({ kind: 'refused', nextAt, ...given });
  expect(sentence).toMatch(/next attempt allowed at 2026-11-24 10:00 UTC$/);
  expect(sentence).not.toContain('example.org');
});

test('of an order that failed for a suspect names the suspects, and says whether it is known yet', () => {
  const last: LastOrder = {
    names: ['a.example.org', 'bad.example.org'],
    orderedAt: Date.UTC(2026, 10, 24, 9, 50),
    failures: 1,
    hasFailed: true,
    failingNames: [
      { name: 'bad.example.org', why: 'unjudged', sentence: 'bad.example.org could not be asked' },
    ],
    issued: undefined,
    isLost: false,
    replaces: undefined,
  };
  const refusal = { kind: 'refused', limit: 'failed-issuance', subject: 'a.example.org', nextAt } as const;
  const blamed = 'to blame may be: bad.example.org could not be asked; as long as that is on it';
  expect(describeRefusal(refusal, { last, isSame: false })).toBe(
    `the certificate ordered at 2026-11-24 09:50 UTC was refused, or did not come; ${blamed}: ${until}`,
  );
  expect(describeRefusal(refusal, { last: { ...last, hasFailed: false }, isSame: false })).toBe(
    `whether the certificate ordered at 2026-11-24 09:50 UTC comes is not known yet; ${blamed}: ${until}`,
  );
  expect(describeRefusalToAll(refusal, { last, isSame: false })).toBe(
    `the certificate ordered at 2026-11-24 09:50 UTC was refused, or did not come; 1 name on the shared certificate may be to blame: \`runcloud-domains status\` names it; as long as that is on it: ${until}`,
  );
  expect(describeRefusal(refusal, { last, isSame: true })).toBe(
    `the last order for exactly these names (a.example.org) failed; to blame may be: bad.example.org could not be asked; ${until}`,
  );
});
