// What a name in the simulated DNS may say, and the check of what a test or an operator wants it to say. How a
// question is answered is in zone.ts.
import { isIPv4, isIPv6 } from 'node:net';
import type { JsonObject } from './control-fields.ts';
import {
  ControlError,
  readChoice,
  readObject,
  readString,
  readWhole,
  rejectUnknownFields,
  within,
} from './control-fields.ts';

export interface CaaRecord {
  /** 128: critical. Default 0. */
  flags?: number;
  /** `issue`, `issuewild`, `iodef`, or any other: RFC 8659, 4.1, lets everybody make up their own. */
  tag: string;
  value: string;
}

/** `silent`: the question gets no answer at all. */
export type DnsFailure = 'servfail' | 'silent';

export interface DnsRecord {
  a?: string | readonly string[];
  aaaa?: string | readonly string[];
  /** Stands alone, as in the real DNS. */
  cname?: string;
  caa?: CaaRecord | readonly CaaRecord[];
  /** The name servers of the zone that begins here. Cloudflare's (*.ns.cloudflare.com) are those of RunCloud's DNS integration. */
  ns?: string | readonly string[];
  /** For this name, or a CNAME to it, the server fails; what else is set comes back without it. */
  fails?: DnsFailure;
}

export interface ZoneEntry {
  a: string[];
  aaaa: string[];
  cname: string | null;
  caa: Required<CaaRecord>[];
  ns: string[];
  fails: DnsFailure | null;
}

/** By lower-case name without a dot at the end. */
export type Zone = Map<string, ZoneEntry>;

const FIELDS = ['a', 'aaaa', 'cname', 'caa', 'ns', 'fails'];

export function parseDnsName(input: unknown): string {
  const name = typeof input === 'string' ? input.toLowerCase().replace(/\.$/, '') : '';
  if (!/^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(name)) {
    throw new ControlError('name', 'must be a DNS name in ASCII (xn--…)');
  }
  return name;
}

/** Throws a ControlError that names the first bad field. */
export function parseDnsRecord(input: unknown): ZoneEntry {
  const body = readObject(input, 'record');
  rejectUnknownFields(body, FIELDS);
  const cname = readString(body, 'cname');
  const stranger = ['a', 'aaaa', 'caa', 'ns'].find((field) => body[field] !== undefined);
  if (cname !== undefined && stranger !== undefined) {
    throw new ControlError(stranger, 'cannot stand beside a cname');
  }
  return {
    a: readAddresses(body, 'a', isIPv4),
    aaaa: readAddresses(body, 'aaaa', isIPv6),
    cname: cname === undefined ? null : within('cname', () => parseDnsName(cname)),
    caa: toList(body.caa).map((record) => within('caa', () => parseCaa(record))),
    ns: toList(body.ns).map((name) => within('ns', () => parseDnsName(name))),
    fails: readChoice<DnsFailure>(body, 'fails', ['servfail', 'silent']) ?? null,
  };
}

export function parseZone(input: unknown): Zone {
  const body = readObject(input, 'dns');
  const toEntry = (name: string): [string, ZoneEntry] =>
    within(`dns.${name}`, () => [parseDnsName(name), parseDnsRecord(body[name])]);
  return new Map(Object.keys(body).map(toEntry));
}

function toList(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function readAddresses(body: JsonObject, field: string, isAddress: (text: string) => boolean): string[] {
  return toList(body[field]).map((address) => {
    if (typeof address === 'string' && isAddress(address)) return address;
    throw new ControlError(field, 'must be an address of its kind, or a list of them');
  });
}

function parseCaa(input: unknown): Required<CaaRecord> {
  const body = readObject(input, '');
  rejectUnknownFields(body, ['flags', 'tag', 'value']);
  const tag = readString(body, 'tag');
  // `;` is the value that forbids everybody; an empty one would say the same and is refused as a likely slip.
  const value = readString(body, 'value');
  if (tag === undefined || !/^[a-z\d]{1,15}$/i.test(tag))
    throw new ControlError('tag', 'must be letters and digits');
  if (value === undefined) throw new ControlError('value', 'is needed');
  return { flags: readWhole(body, 'flags', { max: 255 }) ?? 0, tag, value };
}
