// The DNS records that somebody has to set and to remove, as a zone file has them, so that they can be copied. Pure.
import type { DnsRecord, DnsRecordChanges } from '../../probes/findings.ts';
import { toTable } from './layout.ts';

export const describeChanges = ({ set, remove, unsure }: DnsRecordChanges): string[] => [
  ...block('DNS records to set:', set),
  ...block('DNS records to remove:', remove),
  ...block('DNS could not be judged; right would be:', unsure),
];

function block(heading: string, records: readonly DnsRecord[]): string[] {
  if (records.length === 0) return [];
  const rows = records.map((record) => [
    `${record.name}.`,
    record.type,
    record.value,
    describeBesides(record),
  ]);
  return [heading, ...toTable(rows).map((line) => `  ${line}`)];
}

/** `(or 203.0.113.8 or CNAME shop.example.org.)` */
function describeBesides({ type, alternatives, proxied }: DnsRecord): string {
  const others = alternatives.map((other) =>
    other.type === type ? other.value : `${other.type} ${other.value}`,
  );
  const besides = [
    ...(proxied === false ? ['with the proxy off: "DNS only"'] : []),
    ...(others.length > 0 ? [`or ${others.join(' or ')}`] : []),
  ];
  return besides.length > 0 ? `(${besides.join('; ')})` : '';
}
