// One redeploy at work: what both kinds of certificates share. The order itself is certificate-order.ts' business.

import type { Certificates } from '../../certificates/certificates.ts';
import type { LastOrder, Ledger } from '../../certificates/ledger.ts';
import type { Backoff } from '../../domains/backoff.ts';
import { done, type Outcome, superseded, waiting } from '../../domains/outcome.ts';
import { listed } from '../../domains/sentences.ts';
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
import type { Ordered } from './order.ts';
import type { PreflightPorts } from './preflight.ts';

/** One redeploy at work. Times in milliseconds by Redis' clock. */
export interface RedeployWork {
  readonly app: WebApplication;
  readonly startedAt: number;
  /** The names asked for; undefined: all of the web application's. */
  readonly domains: readonly string[] | undefined;
  /** No looking whether it is needed: a person, the watch or a bare client asks. */
  readonly atOnce: boolean;
  /** When each name was last asked for by itself. */
  readonly requestedAt: ReadonlyMap<string, number>;
  /** When anything was last asked for. */
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
  /** Undefined where neither DNS nor TLS is looked at. */
  readonly probe: Probe | undefined;
  /** RunCloud's own log of the web application, which may say whose name failed a certificate. */
  readonly runcloudLog: LogReader;
  /** Undefined where DNS_GATE is off. */
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

/** The domains of the web application, with everything in it that was asked for. */
export async function attachedFor(
  { app, domains, startedAt, calls }: RedeployWork,
  { directory, preflight }: RedeployPorts,
): Promise<readonly AttachedDomain[]> {
  // What is known may be old; it is good enough to count names by, not to judge them.
  const known = await directory.list(app, preflight || !domains ? startedAt : 0, calls);
  const isThere = (desired: string): boolean => known.some(({ name }) => name === desired);
  const all = (domains?.every(isThere) ?? true) ? known : await directory.list(app, startedAt, calls);
  if (all.length > 0) return all;
  const sentence = `RunCloud lists no domain of web application ${app.appId}, which has one at least; nothing is ordered, and it is asked again`;
  throw new TransientError('runcloud-unknown-result', sentence);
}

/** Whether one of these domains has changed since the last order: who only asks again is held by the cool-down. */
export const isChanged = (
  domains: readonly AttachedDomain[],
  { atOnce, requestedAt }: RedeployWork,
  last: LastOrder | undefined,
): boolean =>
  last === undefined ||
  (!atOnce && domains.some(({ name }) => (requestedAt.get(name) ?? 0) > last.orderedAt));

/** Whether a handshake shows already what is asked for, so that no order is needed. */
export async function isCovered(
  names: readonly string[],
  { app, calls }: RedeployWork,
  { probe }: RedeployPorts,
): Promise<boolean> {
  if (!probe?.provesHttps || names.length === 0) return false;
  return (await probe.tls(app, names, calls)).every(({ verdict }) => verdict === 'covers');
}

export const coveredAlready = (names: readonly string[]): Outcome =>
  done(
    `a handshake shows a certificate that covers ${listed(names)} already; nothing was ordered`,
    undefined,
    'a handshake shows a certificate that covers it already; nothing was ordered',
  );

/** By Redis' clock throughout: the worker's own may be minutes off. */
export const later = (
  { sentence, forDomains, nextAt, mustAct }: Extract<Ordered, { kind: 'later' }>,
  { startedAt }: RedeployWork,
): Outcome => {
  const report = mustAct && ({ state: 'held', mustAct } as const);
  return waiting(sentence, Math.max(BUSY_MS, nextAt - startedAt), report, forDomains);
};

export const unordered = (fate: 'superseded' | 'busy'): Outcome =>
  fate === 'superseded'
    ? superseded('another redeploy of this web application has taken over')
    : waiting('another run may still be redeploying this certificate', BUSY_MS);
