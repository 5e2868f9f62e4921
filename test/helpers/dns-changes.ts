// DNS record changes as short lines, for tests: `set shop.example.org A 203.0.113.7 | 203.0.113.8`.
import type { DnsRecord, DnsRecordChanges } from '../../src/probes/findings.ts';

function toLine(kind: string, { name, type, value, alternatives, proxied }: DnsRecord): string {
  const others = alternatives.map(
    (other) => ` | ${other.type === type ? '' : `${other.type} `}${other.value}`,
  );
  return `${kind} ${name} ${type} ${value}${others.join('')}${proxied === false ? ' unproxied' : ''}`;
}

export const toChangeLines = (changes: DnsRecordChanges | undefined): readonly string[] | undefined =>
  changes &&
  (['set', 'remove', 'unsure'] as const).flatMap((kind) =>
    changes[kind].map((record) => toLine(kind, record)),
  );
