// One run of a redeploy: what both kinds of certificates share. order.ts places the order itself.

import type { Certificates } from '../../certificates/certificates.ts';
import type { LastOrder, Ledger } from '../../certificates/ledger.ts';
import type { Backoff } from '../../domains/backoff.ts';
import { done, type Outcome, type Report, superseded, waiting } from '../../domains/outcome.ts';
import { TransientError } from '../../errors.ts';
import type { Probe } from '../../https/probe.ts';
import type { SidelinePorts } from '../../https/sidelined.ts';
import type { Directory } from '../../runcloud/directory.ts';
import type { Facts } from '../../runcloud/facts.ts';
import type { LogReader } from '../../runcloud/log-reader.ts';
import type {
  AttachedDomain,
  CallOptions,
  InstallSettings,
  RunCloud,
  WebApplication,
} from '../../runcloud/runcloud.ts';
import { BUSY_MS } from '../domain-work.ts';
import { busy, covered, noDomains, superseded as supersededSentence } from './messages.ts';
import type { Ordered } from './order.ts';
import type { PreflightPorts } from './preflight.ts';

/** Times in milliseconds by Redis' clock. */
export interface RedeployWork {
  readonly app: WebApplication;
  readonly startedAt: number;
  /** The pending names; undefined: all of the web application's. */
  readonly domains: readonly string[] | undefined;
  /** Without a check whether it is needed: a person, the monitor or an external producer requests it. */
  readonly atOnce: boolean;
  /** The last request for each name alone. */
  readonly requestedAt: ReadonlyMap<string, number>;
  /** The last request for any. */
  readonly newestRequestAt: number;
  readonly jobId: string;
  /** Which attempt of the job this is, from 1 on. */
  readonly attempt: number;
  readonly calls: CallOptions;
}

export interface RedeployPorts {
  readonly runcloud: Pick<
    RunCloud,
    | 'getCertificate'
    | 'installCertificate'
    | 'redeployCertificate'
    | 'removeCertificate'
    | 'getDomainCertificate'
    | 'installDomainCertificate'
    | 'redeployDomainCertificate'
    | 'removeDomainCertificate'
    | 'switchDomainToHttp01'
  >;
  readonly facts: Facts;
  readonly directory: Directory;
  readonly certificates: Pick<
    Certificates,
    'get' | 'endDomain' | 'expandAll' | 'noteReinstalling' | 'beginWrite' | 'renewWrite' | 'endWrite'
  >;
  readonly ledger: Pick<Ledger, 'peek' | 'reserve' | 'answered' | 'cleared' | 'release' | 'failed' | 'last'>;
  /** Undefined: neither DNS nor TLS is checked. */
  readonly probe: Probe | undefined;
  /** RunCloud's own log of the web application, which may say whose name failed a certificate. */
  readonly runcloudLog: LogReader;
  /** Undefined: DNS_GATE is off. */
  readonly preflight: (PreflightPorts & SidelinePorts) | undefined;
  readonly settings: RedeploySettings;
  readonly backoff: Backoff;
}

export interface RedeploySettings {
  /** SSL_INSTALL, with the settings of what is installed. */
  readonly install: 'off' | 'letsencrypt';
  readonly installSettings: InstallSettings;
  /** SSL_REISSUE */
  readonly reissue: 'off' | 'reinstall';
  /** SSL_COOLDOWN */
  readonly cooldownMs: number;
  /** SSL_SWITCH_TO_HTTP01 */
  readonly switchToHttp01: boolean;
}

/** The domains of the web application, with all that was requested. */
export async function attachedFor(
  { app, domains, startedAt, calls }: RedeployWork,
  { directory, preflight }: RedeployPorts,
): Promise<readonly AttachedDomain[]> {
  // A cached list may be old. It is good enough to count names by, not to judge them.
  const cached = await directory.list(app, preflight || !domains ? startedAt : 0, calls);
  const isThere = (domain: string): boolean => cached.some(({ name }) => name === domain);
  const all = (domains?.every(isThere) ?? true) ? cached : await directory.list(app, startedAt, calls);
  if (all.length > 0) return all;
  throw new TransientError('runcloud-unknown-result', noDomains(app.appId));
}

/** One of these domains has changed since the last order. A mere repetition waits for SSL_COOLDOWN. */
export const isChanged = (
  domains: readonly AttachedDomain[],
  { atOnce, requestedAt }: RedeployWork,
  last: LastOrder | undefined,
): boolean =>
  last === undefined ||
  (!atOnce && domains.some(({ name }) => (requestedAt.get(name) ?? 0) > last.orderedAt));

/** A handshake shows all names already, so no order is needed. */
export async function isCovered(
  names: readonly string[],
  { app, calls }: RedeployWork,
  { probe }: RedeployPorts,
): Promise<boolean> {
  if (!probe?.provesHttps || names.length === 0) return false;
  return (await probe.tls(app, names, calls)).every(({ verdict }) => verdict === 'covers');
}

export const coveredAlready = (names: readonly string[]): Outcome => {
  const { sentence, forDomains } = covered(names);
  return done(sentence, { reasonCode: 'certificate-shown' }, forDomains);
};

/** By Redis' clock throughout: the worker's own may be minutes off. */
export const later = (
  { sentence, forDomains, reasonCode, nextAt, mustAct }: Extract<Ordered, { kind: 'later' }>,
  { startedAt }: RedeployWork,
): Outcome => {
  const report: Report = mustAct ? { state: 'held', reasonCode, mustAct } : { reasonCode };
  return waiting(sentence, Math.max(BUSY_MS, nextAt - startedAt), report, forDomains);
};

export const unordered = (fate: 'superseded' | 'busy'): Outcome =>
  fate === 'superseded'
    ? superseded(supersededSentence)
    : waiting(busy, BUSY_MS, { reasonCode: 'write-in-progress' });
