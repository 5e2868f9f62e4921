// The DNS records that somebody has to set and to remove so that a name leads here, from what was seen of it. Pure.
import { isIPv6 } from 'node:net';
import { toCanonicalAddress } from '../probes/addresses.ts';
import type { DnsFinding } from '../probes/findings.ts';
import { toTable } from './terminal.ts';

export interface DnsRecord {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'CAA';
  readonly value: string;
  /** What does as well: `or 198.51.100.9`. */
  readonly otherwise?: string | undefined;
}

export interface DnsAdvice {
  readonly set: readonly DnsRecord[];
  readonly remove: readonly DnsRecord[];
  /** What would be right for names of which nobody can say whether they are. */
  readonly unsure: readonly DnsRecord[];
}

/** One name, with the name whose www twin it is, where both belong to one domain. */
interface Seen {
  readonly finding: DnsFinding;
  readonly base: DnsFinding | undefined;
}

export function adviseDns(dns: readonly DnsFinding[]): DnsAdvice {
  const advice = dns.map((finding) => {
    const base = finding.name.startsWith('www.') ? finding.name.slice(4) : undefined;
    return adviseName({ finding, base: dns.find(({ name }) => name === base) });
  });
  return {
    set: advice.flatMap(({ set }) => set ?? []),
    remove: advice.flatMap(({ remove }) => remove ?? []),
    unsure: advice.flatMap(({ unsure }) => unsure ?? []),
  };
}

function adviseName(seen: Seen): Partial<DnsAdvice> {
  const { verdict } = seen.finding;
  if (verdict === 'here' || verdict === 'proxied' || followsBase(seen)) return {};
  if (verdict === 'unknown' || verdict === 'unchecked') return { unsure: wantedRecords(seen) };
  return verdict === 'forbidden' ? adviseCaa(seen.finding) : adviseAddress(seen);
}

/** A CNAME to a name that is wrong itself is mended with that name. */
const followsBase = ({ finding, base }: Seen): boolean =>
  base !== undefined &&
  finding.seen.cname[0] === base.name &&
  base.verdict !== 'here' &&
  base.verdict !== 'proxied';

function adviseAddress(seen: Seen): Partial<DnsAdvice> {
  const { name, expected, seen: records } = seen.finding;
  const [target] = records.cname;
  // Its addresses are somebody else's records, and nothing may stand beside a CNAME.
  if (target !== undefined)
    return { set: wantedRecords(seen), remove: [{ name, type: 'CNAME', value: `${target}.` }] };
  const wanted = expected.map(toCanonicalAddress);
  const isForeign = (address: string): boolean => !wanted.includes(address);
  const addresses = [...records.a, ...records.aaaa];
  const remove = addresses.filter(isForeign).map((value) => ({ name, type: typeOf(value), value }));
  return { set: addresses.every(isForeign) ? wantedRecords(seen) : [], remove };
}

const typeOf = (address: string): 'A' | 'AAAA' => (isIPv6(address) ? 'AAAA' : 'A');

/** One address suffices; AAAA only where we have no IPv4. */
function wantedRecords({ finding: { name, expected }, base }: Seen): DnsRecord[] {
  const v4 = expected.filter((address) => !isIPv6(address));
  const [value, ...others] = v4.length > 0 ? v4 : expected;
  if (value === undefined) return [];
  const type = typeOf(value);
  if (base) return [{ name, type: 'CNAME', value: `${base.name}.`, otherwise: `or ${type} ${value}` }];
  return [{ name, type, value, otherwise: others.map((address) => `or ${address}`).join(' ') || undefined }];
}

// A set of its own counts before a parent's (RFC 8659), so the name itself is always a right place, unless it is a CNAME: then
// only the finding's sentence can say where.
function adviseCaa({ name, seen: { caa, cname } }: DnsFinding): Partial<DnsAdvice> {
  if (cname.length > 0) return {};
  const issue = caa.filter((record) => record.startsWith('issue '));
  const isAllowed = issue.some((record) => /^issue letsencrypt\.org\s*(;|$)/i.test(record));
  const set: DnsRecord[] =
    issue.length > 0 && !isAllowed ? [{ name, type: 'CAA', value: '0 issue "letsencrypt.org"' }] : [];
  const strange = caa.filter((record) => !/^(issue|issuewild|iodef|issuemail) /.test(record));
  return { set, remove: strange.map((value) => ({ name, type: 'CAA', value })) };
}

/** As a zone file has them, so that they can be copied; `heading` above. */
function block(heading: string, records: readonly DnsRecord[]): string[] {
  if (records.length === 0) return [];
  const rows = records.map(({ name, type, value, otherwise }) => [
    `${name}.`,
    type,
    value,
    otherwise ? `(${otherwise})` : '',
  ]);
  return [heading, ...toTable(rows).map((line) => `  ${line}`)];
}

export const describeAdvice = ({ set, remove, unsure }: DnsAdvice): string[] => [
  ...block('DNS records to set:', set),
  ...block('DNS records to remove:', remove),
  ...block('DNS could not be judged; right would be:', unsure),
];
