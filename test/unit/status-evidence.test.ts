// What the last check observed, in lines for a terminal.
import { expect, test } from '@jest/globals';
import { describeEvidence } from '../../src/cli/output/status-evidence.ts';
import type { DnsFinding, TlsFinding } from '../../src/probes/findings.ts';

const name = 'shop.example.org';
const now = Date.parse('2026-11-24T10:00:00Z');
const dns: DnsFinding = {
  name,
  verdict: 'elsewhere',
  sentence: 'it leads elsewhere',
  expected: ['203.0.113.7'],
  observed: { a: ['198.51.100.1', '198.51.100.2'], aaaa: [], cname: [], caa: [], more: 3_998 },
};
const tls: TlsFinding = {
  name,
  verdict: 'covers',
  sentence: 'it covers',
  address: '203.0.113.7:443',
  certificate: {
    subject: name,
    issuer: 'R11',
    names: Array.from({ length: 100 }, (_, i) => `n${i}.example`),
    moreNames: 900,
    notBefore: 0,
    notAfter: Date.parse('2027-01-23T00:00:00Z'),
  },
};

test('what was left out of the record is counted with what is left out of the line', () => {
  const lines = describeEvidence({ at: now, dns: [dns], tls: [tls] }, now);
  expect(lines[1]).toBe(`  DNS of ${name}: A 198.51.100.1, A 198.51.100.2 and 3998 more (elsewhere)`);
  expect(lines[2]).toContain(
    'certificate for n0.example, n1.example, n2.example, n3.example and 996 other names, by R11',
  );
});

test('a doubt about a name that is right stands beside it', () => {
  const right: DnsFinding = { ...dns, verdict: 'here', doubt: 'its CAA record binds to an account' };
  expect(describeEvidence({ at: now, dns: [right], tls: [] }, now)[1]).toMatch(
    /\(here\); its CAA record binds to an account$/,
  );
});
