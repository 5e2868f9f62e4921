// Which certificates RunCloud cannot renew any more, for the monitor: they are validated by dns-01, and the DNS of a name has moved.
// RunCloud's list of certificates is read once for all domains of a web application in a pass. DNS is queried only for those by dns-01.
import type { DomainRecord } from '../domains/domain.ts';
import { namesOfRecord } from '../domains/names.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { CallOptions, ListedCertificate, RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import { describeOutOfReach, isByDns } from './challenge.ts';
import type { Probe } from './probe.ts';

/** The sentence about one domain's certificate; undefined: it can renew, or nobody knows. Throws only the signal's reason. */
export type RenewalCheck = (record: DomainRecord, calls: CallOptions) => Promise<string | undefined>;

interface Ports {
  readonly runcloud: Pick<RunCloud, 'listCertificates'>;
  readonly facts: Pick<Facts, 'cached'>;
  readonly probe: Pick<Probe, 'zones'>;
}

interface Listed {
  readonly certificates: readonly ListedCertificate[];
  readonly advanced: boolean;
}

/** For one pass: what was read of a web application counts until its end. */
export function createRenewalCheck({ runcloud, facts, probe }: Ports): RenewalCheck {
  const lists = new Map<string, Promise<Listed | undefined>>();
  const read = async (app: WebApplication, calls: CallOptions): Promise<Listed | undefined> => {
    try {
      const { advanced } = await facts.cached(app, calls);
      return { certificates: await runcloud.listCertificates(app, calls), advanced };
    } catch {
      // What could not be read changes nothing: the next pass reads it again.
      calls.signal?.throwIfAborted();
      return undefined;
    }
  };
  return async (record, calls) => {
    const key = `${record.serverId}:${record.appId}`;
    const list = lists.get(key) ?? read(record, calls);
    lists.set(key, list);
    const listed = await list;
    const own = listed?.certificates.find(({ domainName = record.domain }) => domainName === record.domain);
    if (!listed || !isByDns(own?.certificate)) return undefined;
    const zones = await probe.zones(namesOfRecord(record), calls);
    return describeOutOfReach(zones, record.domain, listed.advanced);
  };
}
