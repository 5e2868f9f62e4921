// The probes as the jobs use them: all names of one domain at once, against the server's own address and EXPECTED_IPS.

import type { DomainRecord, Evidence } from '../domains/domain.ts';
import { namesOfRecord } from '../domains/names.ts';
import { twinOf as wwwOf } from '../domains/owner.ts';
import { isWithheld } from '../domains/www.ts';
import type { DnsFinding, TlsFinding, ZoneFinding } from '../probes/findings.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { CallOptions, WebApplication } from '../runcloud/runcloud.ts';

export interface ProbePorts {
  readonly facts: Pick<Facts, 'cached'>;
  readonly dns: {
    check(
      name: string,
      expected: readonly string[],
      signal?: AbortSignal,
      twin?: string,
    ): Promise<DnsFinding>;
    zone(name: string, signal?: AbortSignal): Promise<ZoneFinding>;
  };
  /** Undefined: TLS_PROBE is off. */
  readonly tls:
    | { check(name: string, address: Address, signal?: AbortSignal): Promise<TlsFinding> }
    | undefined;
  /** EXPECTED_IPS */
  readonly expectedIps: readonly string[];
  /** TLS_PROBE_ADDRESS */
  readonly tlsAddress: Address | undefined;
  readonly now: () => Promise<number>;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Probe {
  /** False: TLS_PROBE is off. */
  readonly provesHttps: boolean;
  dns(app: WebApplication, names: readonly string[], calls: CallOptions): Promise<DnsFinding[]>;
  tls(app: WebApplication, names: readonly string[], calls: CallOptions): Promise<TlsFinding[]>;
  /** `dnsOnly`: names that are not served here (yet), whose DNS is checked besides. */
  all(
    app: WebApplication,
    names: readonly string[],
    calls: CallOptions,
    dnsOnly?: readonly string[],
  ): Promise<Evidence>;
  /** Whether dns-01 can validate these names. */
  zones(names: readonly string[], calls: CallOptions): Promise<ZoneFinding[]>;
}

export function createProbe({ facts, dns, tls, expectedIps, tlsAddress, now }: ProbePorts): Probe {
  const probe: Probe = {
    provesHttps: tls !== undefined,
    async dns(app, names, calls) {
      const { ipAddress } = await facts.cached(app, calls);
      const expected = [...new Set([...(ipAddress ? [ipAddress] : []), ...expectedIps])];
      const all = new Set(names);
      return Promise.all(names.map((name) => dns.check(name, expected, calls.signal, otherOf(name, all))));
    },
    async tls(app, names, calls) {
      if (!tls) return [];
      const host = tlsAddress?.host ?? (await facts.cached(app, calls)).ipAddress ?? expectedIps[0];
      if (host === undefined) return names.map(unknownServer);
      const address = tlsAddress ?? { host, port: 443 };
      return Promise.all(names.map((name) => tls.check(name, address, calls.signal)));
    },
    async all(app, names, calls, dnsOnly = []) {
      const [dnsFindings, tlsFindings, at] = await Promise.all([
        probe.dns(app, [...names, ...dnsOnly], calls),
        probe.tls(app, names, calls),
        now(),
      ]);
      return { at, dns: dnsFindings, tls: tlsFindings };
    },
    zones: (names, { signal }) => Promise.all(names.map((name) => dns.zone(name, signal))),
  };
  return probe;
}

/** The www name, or the name whose www name it is. One domain has both, and one remedy may fix both. */
const otherOf = (name: string, all: ReadonlySet<string>): string | undefined =>
  [`www.${name}`, name.replace(/^www\./, '')].find((other) => other !== name && all.has(other));

const unknownServer = (name: string): TlsFinding => ({
  name,
  verdict: 'unknown',
  sentence: `${name} could not be checked: RunCloud does not tell the server's address; set TLS_PROBE_ADDRESS or EXPECTED_IPS`,
  address: '',
});

/** What is judged of the names that RunCloud has, and the same with the DNS of a www name that was left out. */
export interface Probed {
  readonly evidence: Evidence;
  readonly shown: Evidence;
  /** Of the www name that was left out. */
  readonly leftOut: DnsFinding | undefined;
}

export async function probeRecord(
  { record, calls }: { readonly record: DomainRecord; readonly calls: CallOptions },
  probe: Probe,
): Promise<Probed> {
  const names = namesOfRecord(record);
  const found = await probe.all(record, names, calls, isWithheld(record) ? [wwwOf(record.domain)] : []);
  const shown = { ...found, log: record.evidence?.log };
  const evidence = { ...shown, dns: shown.dns.filter(({ name }) => names.includes(name)) };
  return { evidence, shown, leftOut: shown.dns.find(({ name }) => !names.includes(name)) };
}
