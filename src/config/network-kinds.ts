// The kinds of values that name places on the network: addresses, DNS servers, the probe's web address.
import { isIP } from 'node:net';
import { ProbeUrlError, parseProbeUrl } from '../probes/probe-url.ts';
import { type Kind, kind } from './kinds.ts';

export interface HostAndPort {
  /** An IPv6 address stands here without its brackets. */
  readonly host: string;
  readonly port: number;
}

const split = (raw: string): string[] => [
  ...new Set(
    raw
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ),
];

/** Entries between commas. The complaint counts them, since a message never repeats a value. */
function listOf(accepts: string, isEntry: (item: string) => boolean): Kind<readonly string[]> {
  const isList = (items: readonly string[]): boolean => items.length > 0 && items.every(isEntry);
  return kind<readonly string[]>(
    accepts,
    (raw) => (isList(split(raw)) ? split(raw) : undefined),
    (raw) => {
      const items = split(raw);
      const which = items.findIndex((item) => !isEntry(item)) + 1;
      return `must be ${accepts}${items.length > 1 ? ` (entry ${which} is not)` : ''}`;
    },
  );
}

const isPort = (text: string): boolean =>
  /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/** `host:port`, `[v6]:port`; undefined for anything else. */
function toHostAndPort(raw: string): HostAndPort | undefined {
  const [, v6, name, port = ''] = /^(?:\[([^\]]*)\]|([^:[\]/@\s]+)):(\d+)$/.exec(raw) ?? [];
  const host = v6 ?? name ?? '';
  const isHost = v6 === undefined ? /^[\w.-]+$/.test(host) : isIP(host) === 6;
  return isHost && isPort(port) ? { host, port: Number(port) } : undefined;
}

const isIPv6InBrackets = (item: string): boolean => /^\[.*\]$/.test(item) && isIP(item.slice(1, -1)) === 6;

/** As `dns.setServers` of node:dns takes them; a name would need a DNS server to be found. */
const isDnsServer = (item: string): boolean =>
  isIP(item) !== 0 || isIPv6InBrackets(item) || isIP(toHostAndPort(item)?.host ?? '') !== 0;

export const dnsServers: Kind<readonly string[]> = listOf(
  'IP addresses with commas between them, each with a port if need be: 9.9.9.9, 10.0.0.53:5353, [2620:fe::fe]:53',
  isDnsServer,
);

export const ipAddresses: Kind<readonly string[]> = listOf(
  'IPv4 or IPv6 addresses with commas between them',
  (item) => isIP(item) !== 0,
);

export const hostAndPort: Kind<HostAndPort> = kind(
  'a host and a port, host:port or [IPv6]:port',
  toHostAndPort,
);

/** The text that `hostAndPort` reads back as the same. */
export const fromHostAndPort = ({ host, port }: HostAndPort): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** As the probe itself reads it, so that no setting passes here and fails there. */
function probeComplaint(raw: string): string | undefined {
  try {
    parseProbeUrl(raw);
    return undefined;
  } catch (error) {
    if (error instanceof ProbeUrlError) return error.reason;
    throw error;
  }
}

export const probeUrl: Kind<string> = kind(
  'an http:// or https:// address that holds {domain} and ends with # and a text',
  (raw) => (probeComplaint(raw) === undefined ? raw : undefined),
  (raw) => String(probeComplaint(raw)),
);
