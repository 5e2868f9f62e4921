// The DNS records to set and to remove, in the format of a zone file, ready to copy. Pure.
import type { DnsRecord, DnsRecordChanges } from '../../probes/findings.ts';
import { toTable } from './layout.ts';
import { RECORDS_EXPECTED, RECORDS_TO_REMOVE, RECORDS_TO_SET } from './status-messages.ts';

export const describeChanges = ({ set, remove, unsure }: DnsRecordChanges): string[] => [
  ...block(RECORDS_TO_SET, set),
  ...block(RECORDS_TO_REMOVE, remove),
  ...block(RECORDS_EXPECTED, unsure),
];

function block(heading: string, records: readonly DnsRecord[]): string[] {
  if (records.length === 0) return [];
  const rows = records.map((record) => [`${record.name}.`, record.type, record.value, describeRest(record)]);
  return [heading, ...toTable(rows).map((line) => `  ${line}`)];
}

/** `(or 203.0.113.8 or CNAME shop.example.org.)` */
function describeRest({ type, alternatives, proxied }: DnsRecord): string {
  const others = alternatives.map((other) =>
    other.type === type ? other.value : `${other.type} ${other.value}`,
  );
  const rest = [
    ...(proxied === false ? ['with the proxy off: "DNS only"'] : []),
    ...(others.length > 0 ? [`or ${others.join(' or ')}`] : []),
  ];
  return rest.length > 0 ? `(${rest.join('; ')})` : '';
}
