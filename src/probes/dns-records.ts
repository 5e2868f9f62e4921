// The DNS records to set and to remove for a name. Pure. The only place that advises: sentences,
// API, callbacks and `status` use it.
import { isIPv6 } from 'node:net';
import type { DnsFinding, DnsRecord, DnsRecordChanges } from './findings.ts';

/** The addresses of one name, all of them canonical. */
export interface AddressView {
  readonly name: string;
  /** The other name of the same domain (`www.` or without), if that is checked as well. */
  readonly twin: string | undefined;
  readonly expected: readonly string[];
  /** Its addresses that are not ours, and those that are. */
  readonly external: readonly string[];
  readonly right: readonly string[];
  /** The chain of CNAMEs from the name on. */
  readonly cname: readonly string[];
}

/** Of each kind. The owner of a name can make thousands, and no fix needs more. */
const maxRecords = 20;

const toType = (address: string): 'A' | 'AAAA' => (isIPv6(address) ? 'AAAA' : 'A');

export const toRecord = (name: string, type: DnsRecord['type'], value: string): DnsRecord => ({
  name,
  type,
  value,
  alternatives: [],
  proxied: null,
});

/** AAAA only if there is no IPv4 address. */
export function expectedAddresses(expected: readonly string[]): readonly string[] {
  const v4 = expected.filter((address) => !isIPv6(address));
  return v4.length > 0 ? v4 : expected;
}

/** One address suffices. A www name may follow its own domain as well. */
function recordsToSet({ name, twin, expected }: AddressView): readonly DnsRecord[] {
  const [value, ...others] = expectedAddresses(expected);
  if (value === undefined) return [];
  const alternatives = [
    ...others.map((address) => ({ type: toType(address), value: address })),
    ...(twin !== undefined && name === `www.${twin}` ? [{ type: 'CNAME' as const, value: `${twin}.` }] : []),
  ];
  return [{ ...toRecord(name, toType(value), value), alternatives }];
}

/** A CNAME to the other name of the same domain is right: the fault is there. */
export const followsTwin = ({ twin, cname }: Pick<AddressView, 'twin' | 'cname'>): boolean =>
  twin !== undefined && cname[0] === twin;

/** For a name with no address, or a wrong one. Undefined if its twin has the fault. */
export function adviseAddress(view: AddressView): DnsRecordChanges | undefined {
  if (followsTwin(view)) return undefined;
  const { name, cname, external, right } = view;
  const set = right.length > 0 && cname.length === 0 ? [] : recordsToSet(view);
  // The records behind a CNAME belong to its target, and no other record can be beside it.
  const remove: DnsRecord[] =
    cname[0] === undefined
      ? external.slice(0, maxRecords).map((value) => toRecord(name, toType(value), value))
      : [toRecord(name, 'CNAME', `${cname[0]}.`)];
  return { set, remove, unsure: [] };
}

/** A CDN's proxy hides the name's own records. The proxy must be off. */
export const adviseUnproxied = (view: AddressView): DnsRecordChanges => ({
  set: recordsToSet({ ...view, twin: undefined }).map((record) => ({ ...record, proxied: false })),
  remove: [],
  unsure: [],
});

/** If the records could not be judged. */
export function adviseUnsure(view: AddressView): DnsRecordChanges | undefined {
  const unsure = followsTwin(view) || view.right.length > 0 ? [] : recordsToSet(view);
  return unsure.length > 0 ? { set: [], remove: [], unsure } : undefined;
}

/** Of all names that belong together. A record for several names comes once. */
export function toRecordChanges(dns: readonly DnsFinding[]): DnsRecordChanges {
  const all = (kind: keyof DnsRecordChanges): DnsRecord[] => {
    const records = dns.flatMap(({ changes }) => changes?.[kind] ?? []);
    const byText = new Map(records.map((record) => [JSON.stringify(record), record]));
    return [...byText.values()].slice(0, maxRecords);
  };
  return { set: all('set'), remove: all('remove'), unsure: all('unsure') };
}
