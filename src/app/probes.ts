// The probes, as configured. Part of the wiring (app.ts).
import type { Config } from '../config/load.ts';
import { createProbe, type Probe } from '../https/probe.ts';
import { createRenewalCheck, type RenewalCheck } from '../https/renewal.ts';
import { createDnsProbe } from '../probes/dns.ts';
import { createTlsProbe } from '../probes/tls.ts';
import type { RequestQueue } from '../queue/enqueue.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { RunCloud } from '../runcloud/runcloud.ts';
import { readTextFile } from '../untrusted/text-file.ts';

interface Parts {
  readonly config: Config;
  readonly facts: Facts;
  readonly requests: Pick<RequestQueue, 'store'>;
}

/** Undefined: DNS_GATE and TLS_PROBE are off, so nothing but RunCloud is read. */
export function createProbeOf({ config, facts, requests }: Parts): Probe | undefined {
  const { dns, tls, ssl } = config;
  if (dns.gate === 'off' && !tls.probe) return undefined;
  const ca = tls.caFile === undefined ? {} : { ca: readTextFile(tls.caFile) };
  return createProbe({
    facts,
    dns: createDnsProbe({ servers: dns.servers, probeUrl: dns.probeUrl, challenge: ssl.install.challenge }),
    tls: tls.probe ? createTlsProbe(ca) : undefined,
    expectedIps: dns.expectedIps,
    tlsAddress: tls.address,
    now: requests.store.now,
  });
}

export interface Probes {
  readonly probe: Probe | undefined;
  /** For one pass of the monitor. */
  readonly beginRenewalCheck: () => RenewalCheck | undefined;
}

export function createProbesOf(
  parts: Parts & { readonly runcloud: Pick<RunCloud, 'listCertificates'> },
): Probes {
  const probe = createProbeOf(parts);
  return { probe, beginRenewalCheck: () => probe && createRenewalCheck({ ...parts, probe }) };
}
