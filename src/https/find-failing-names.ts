// Collects the facts about an order that failed: the DNS of all its names, which of them RunCloud's log and the last certificate have, and
// whose DNS flaps. What the facts mean is decided in certificates/failing-names.ts.
import type { Certificates } from '../certificates/certificates.ts';
import { type FailingName, findFailingNames } from '../certificates/failing-names.ts';
import type { CertificateOrder, LastOrder } from '../certificates/ledger.ts';
import { namesInTroubles } from '../certificates/log-text.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { CallOptions } from '../runcloud/runcloud.ts';
import type { Probe } from './probe.ts';

export interface FailingNamePorts {
  /** Undefined: neither DNS nor TLS is checked. */
  readonly probe: Probe | undefined;
  readonly certificates: Pick<Certificates, 'get'>;
  readonly runcloudLog: LogReader;
}

/** `last`: the ledger's record of this very order. `now` by Redis' clock, in milliseconds. */
export async function findFailingNamesOf(
  { app, domain, names }: CertificateOrder,
  last: LastOrder | undefined,
  { now, calls }: { readonly now: number; readonly calls: CallOptions },
  { probe, certificates, runcloudLog }: FailingNamePorts,
): Promise<FailingName[]> {
  const dns = (await probe?.dns(app, names, calls)) ?? [];
  // A certificate of the domain's own has nobody else on it.
  if (domain !== undefined)
    return findFailingNames({ names, dns, issued: undefined, unsteady: {}, logged: [], now });
  const { unsteady = {} } = (await certificates.get(app)) ?? {};
  const issued = last?.issued ?? (await coveredNow(probe, { app, names }, calls));
  const entries = last ? await runcloudLog.since(app, { orderedAt: last.orderedAt, now }, calls) : [];
  return findFailingNames({ names, dns, issued, unsteady, logged: namesInTroubles(entries, names), now });
}

/** If the ledger knows of no certificate: what the server shows. Undefined: that says nothing. */
async function coveredNow(
  probe: Probe | undefined,
  { app, names }: CertificateOrder,
  calls: CallOptions,
): Promise<readonly string[] | undefined> {
  if (!probe?.provesHttps) return undefined;
  const tls = await probe.tls(app, names, calls);
  const covered = tls.filter(({ verdict }) => verdict === 'covers').map(({ name }) => name);
  return covered.length > 0 ? covered : undefined;
}
