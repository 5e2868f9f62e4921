// The DNS records that somebody has to set and to remove so that a name leads here, and the same in words. Pure. The one place that
// advises: sentences, API, callbacks and `status` repeat it.
import { isIPv6 } from 'node:net';
import type { DnsFinding, DnsRecord, DnsRecordChanges } from './findings.ts';

/** One name as far as its addresses go; all of them canonical. */
export interface AddressView {
  readonly name: string;
  /** The other name of the same domain (its www twin, or the name whose twin it is), where that is asked about as well. */
  readonly twin: string | undefined;
  readonly expected: readonly string[];
  /** Its addresses that are not ours, and those that are. */
  readonly external: readonly string[];
  readonly right: readonly string[];
  /** The chain of CNAMEs from the name on. */
  readonly cname: readonly string[];
}

/** Of each kind; nobody needs more to mend a name, and whoever owns it can make it thousands. */
const maxRecords = 20;

const toType = (address: string): 'A' | 'AAAA' => (isIPv6(address) ? 'AAAA' : 'A');

export const toRecord = (name: string, type: DnsRecord['type'], value: string): DnsRecord => ({
  name,
  type,
  value,
  alternatives: [],
  proxied: null,
});

/** AAAA only where we have no IPv4. */
export function expectedAddresses(expected: readonly string[]): readonly string[] {
  const v4 = expected.filter((address) => !isIPv6(address));
  return v4.length > 0 ? v4 : expected;
}

/** What the name should have: one address suffices. A www may follow its own domain as well. */
function recordsToSet({ name, twin, expected }: AddressView): readonly DnsRecord[] {
  const [value, ...others] = expectedAddresses(expected);
  if (value === undefined) return [];
  const alternatives = [
    ...others.map((address) => ({ type: toType(address), value: address })),
    ...(twin !== undefined && name === `www.${twin}` ? [{ type: 'CNAME' as const, value: `${twin}.` }] : []),
  ];
  return [{ ...toRecord(name, toType(value), value), alternatives }];
}

/** A CNAME to the other name of the same domain is right: what is wrong with it is mended there. */
export const followsTwin = ({ twin, cname }: Pick<AddressView, 'twin' | 'cname'>): boolean =>
  twin !== undefined && cname[0] === twin;

/** For a name that has no address, or a wrong one. Undefined where it is mended with its twin. */
export function adviseAddress(view: AddressView): DnsRecordChanges | undefined {
  if (followsTwin(view)) return undefined;
  const { name, cname, external, right } = view;
  const set = right.length > 0 && cname.length === 0 ? [] : recordsToSet(view);
  // Behind a CNAME stand somebody else's records, and nothing may stand beside it.
  const remove: DnsRecord[] =
    cname[0] === undefined
      ? external.slice(0, maxRecords).map((value) => toRecord(name, toType(value), value))
      : [toRecord(name, 'CNAME', `${cname[0]}.`)];
  return { set, remove, unsure: [] };
}

/** Behind a CDN's proxy nobody sees the name's own records: what counts is that the proxy is off. */
export const adviseUnproxied = (view: AddressView): DnsRecordChanges => ({
  set: recordsToSet({ ...view, twin: undefined }).map((record) => ({ ...record, proxied: false })),
  remove: [],
  unsure: [],
});

/** Where nobody can say. */
export function adviseUnsure(view: AddressView): DnsRecordChanges | undefined {
  const unsure = followsTwin(view) || view.right.length > 0 ? [] : recordsToSet(view);
  return unsure.length > 0 ? { set: [], remove: [], unsure } : undefined;
}

/** Of all names that belong together; a record that mends several is named once. */
export function toRecordChanges(dns: readonly DnsFinding[]): DnsRecordChanges {
  const all = (kind: keyof DnsRecordChanges): DnsRecord[] => {
    const records = dns.flatMap(({ changes }) => changes?.[kind] ?? []);
    const byText = new Map(records.map((record) => [JSON.stringify(record), record]));
    return [...byText.values()].slice(0, maxRecords);
  };
  return { set: all('set'), remove: all('remove'), unsure: all('unsure') };
}

/** Sentences stay short, however many records somebody has. */
export function list(items: readonly string[], word: 'and' | 'or'): string {
  const shown = items.length > 4 ? [...items.slice(0, 3), `${items.length - 3} more`] : items;
  return shown.length < 2 ? (shown[0] ?? '') : `${shown.slice(0, -1).join(', ')} ${word} ${shown.at(-1)}`;
}

/** `A record with 203.0.113.7 or 203.0.113.8 (or a CNAME to shop.example.org)` */
function describeDesired({ type, value, alternatives }: DnsRecord, joint: 'to' | 'with'): string {
  const same = [value, ...alternatives.filter((other) => other.type === type).map((other) => other.value)];
  const cname = alternatives.find((other) => other.type === 'CNAME');
  return `${type} record ${joint} ${list(same, 'or')}${cname ? ` (or a CNAME to ${toTarget(cname.value)})` : ''}`;
}

const toTarget = (value: string): string => value.replace(/\.$/, '');

/** `its AAAA records 2001:db8::1 and 2001:db8::2` */
function describeRemoved(type: DnsRecord['type'], records: readonly DnsRecord[]): string[] {
  const values = records.filter((record) => record.type === type).map(({ value }) => value);
  return values.length > 0
    ? [`its ${type} record${values.length > 1 ? 's' : ''} ${list(values, 'and')}`]
    : [];
}

/** What to do about addresses, as the end of a sentence: `set its A record to 203.0.113.7`. */
export function describeAddressChanges({ set, remove }: DnsRecordChanges): string {
  const [desired] = set;
  const cname = remove.find(({ type }) => type === 'CNAME');
  if (desired && cname)
    return `replace its CNAME to ${toTarget(cname.value)} by an ${describeDesired(desired, 'with')}`;
  // Who sets a record replaces what stands there in its kind.
  const leaving = (['A', 'AAAA'] as const).filter((type) => type !== desired?.type);
  const removed = leaving.flatMap((type) => describeRemoved(type, remove)).join(' and ');
  if (!desired) return `remove ${removed}`;
  if (remove.length === 0) return `add an ${describeDesired(desired, 'with')}`;
  return `set its ${describeDesired(desired, 'to')}${removed ? `, and remove ${removed}` : ''}`;
}

/** The same about CAA records: `add the CAA record 0 issue "letsencrypt.org" at example.org`. */
export function describeCaaChanges({ set, remove }: Pick<DnsRecordChanges, 'set' | 'remove'>): string {
  const added = set.map(({ value }) => `add \`${value}\``);
  const removed =
    remove.length > 0
      ? [
          `remove \`${list(
            remove.map(({ value }) => value),
            'and',
          )}\``,
        ]
      : [];
  return [...added, ...removed].join(', and ');
}
