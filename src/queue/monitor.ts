// The monitor loop: one worker at a time checks every settled domain, and reports drift. It enqueues a repair only with
// MONITOR_REPAIR. A www name that was left out joins in any case once its DNS is right: that is the rest of the request.
import type { Redis } from 'ioredis';
import type { Ledger } from '../certificates/ledger.ts';
import type { DomainRecord, Evidence } from '../domains/domain.ts';
import { twinOf } from '../domains/owner.ts';
import { inSentences } from '../domains/sentences.ts';
import { states } from '../domains/states.ts';
import { reasonOf } from '../errors.ts';
import { withOutOfReach } from '../https/challenge.ts';
import { type Drift, judgeDrift } from '../https/drift.ts';
import { type Probe, probeRecord } from '../https/probe.ts';
import type { RenewalCheck } from '../https/renewal.ts';
import { shouldDropWww, withheldWww } from '../https/www.ts';
import type { Logger } from '../logger/logger.ts';
import type { DnsFinding } from '../probes/findings.ts';
import { leadsHere } from '../probes/findings.ts';
import type { Directory } from '../runcloud/directory.ts';
import type { AttachedDomain, WebApplication } from '../runcloud/runcloud.ts';
import type { RequestQueue } from './enqueue.ts';
import * as messages from './messages.ts';
import { createPeriodic, type Periodic } from './periodic.ts';

export interface MonitorOptions {
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly directory: Directory;
  /** Says whether an order has left for a certificate that was found wrong. */
  readonly ledger: Pick<Ledger, 'last'>;
  readonly logger: Logger;
  /** Undefined if DNS and TLS are not probed: then there is nothing to monitor. */
  readonly probe: Probe | undefined;
  /** For each pass: which certificates RunCloud cannot renew any more. */
  readonly beginRenewalCheck: () => RenewalCheck | undefined;
  /** True while no call to RunCloud may go out: then its list is not read. */
  readonly isUnavailable: () => Promise<boolean>;
  readonly intervalMs: number;
  readonly repair: boolean;
  /** API v3 can switch the www name of a domain that is there: one that was left out joins when its DNS is right. */
  readonly changesWww: boolean;
}

export interface Monitor extends Periodic {
  /** One round, whatever other workers do. */
  check(): Promise<void>;
}

/** The periodic lock, in Redis. */
const LOCK = 'monitor';
/** Domains that are checked together. */
const BATCH = 10;

export function createMonitor(options: MonitorOptions): Monitor {
  const { redis, requests, logger, intervalMs } = options;
  const periodic = createPeriodic({
    redis,
    key: requests.keyOf(LOCK),
    intervalMs,
    run: (signal) => checkAll(options, signal),
    onError: (error) => logger.warn({ event: 'monitor-failed' }, messages.monitorFailed(reasonOf(error))),
  });
  return { check: () => checkAll(options, new AbortController().signal), ...periodic };
}

async function checkAll(options: MonitorOptions, signal: AbortSignal): Promise<void> {
  const { requests, probe, logger } = options;
  if (!probe) return;
  const findAttached = await createListReader(options, signal);
  const findRenewal = (await options.isUnavailable()) ? undefined : options.beginRenewalCheck();
  const check = async (record: DomainRecord): Promise<void> => {
    try {
      await checkOne(record, { probe, findAttached, findRenewal }, options, signal);
    } catch (error) {
      if (!signal.aborted)
        logger.warn(
          { event: 'monitor-blind', domain: record.domain },
          messages.monitorFailed(reasonOf(error)),
        );
    }
  };
  const batch: DomainRecord[] = [];
  for await (const record of requests.store.scan()) {
    if (signal.aborted) return;
    if (record.request === 'settled' && record.desired.presence === 'present') batch.push(record);
    if (batch.length === BATCH) await Promise.all(batch.splice(0).map(check));
  }
  await Promise.all(batch.map(check));
}

type Listed = { readonly attached: AttachedDomain | undefined } | undefined;
type ListReader = (record: DomainRecord) => Promise<Listed>;

type Rows = ReadonlyMap<string, AttachedDomain>;

// A domain in RunCloud's list; undefined if nobody can say. A list that cannot be read is read once a round and logged once.
// DNS and the handshake count in any case.
async function createListReader(
  { requests, directory, isUnavailable, logger }: MonitorOptions,
  signal: AbortSignal,
): Promise<ListReader> {
  const { now } = requests.store;
  const startedAt = await now();
  const mayRead = !(await isUnavailable());
  const read = async (app: WebApplication, since: number): Promise<Rows | undefined> => {
    try {
      const rows = await directory.list(app, since, { signal });
      return new Map(rows.map((row) => [row.name, row]));
    } catch (error) {
      signal.throwIfAborted();
      const { serverId, appId } = app;
      logger.warn({ event: 'monitor-blind', serverId, appId }, messages.unreadable(appId, reasonOf(error)));
      return undefined;
    }
  };
  const firsts = createOnce((app) => read(app, startedAt));
  const seconds = createOnce(async (app) => read(app, await now()));
  return async (record) => {
    if (!mayRead) return undefined;
    const first = await firsts(record);
    const attached = first?.get(record.domain);
    // A list that may lag behind our own attachment does not say that it is gone.
    if (!first || attached || startedAt < record.shownBy.attach) return attached && { attached };
    // One odd list must not report all domains as gone: it takes two.
    const second = await seconds(record);
    return second && { attached: second.get(record.domain) };
  };
}

/** Each web application is read once a round. */
function createOnce(read: (app: WebApplication) => Promise<Rows | undefined>) {
  const all = new Map<string, Promise<Rows | undefined>>();
  return ({ serverId, appId }: WebApplication): Promise<Rows | undefined> => {
    const key = `${serverId}:${appId}`;
    const found = all.get(key) ?? read({ serverId, appId });
    all.set(key, found);
    return found;
  };
}

/** How one round checks. */
interface Checks {
  readonly probe: Probe;
  readonly findAttached: ListReader;
  /** Undefined while RunCloud is not read. */
  readonly findRenewal: RenewalCheck | undefined;
}

async function checkOne(
  record: DomainRecord,
  checks: Checks,
  options: MonitorOptions,
  signal: AbortSignal,
): Promise<void> {
  const { requests, repair } = options;
  const { drift, joining, isDead } = await examine(record, checks, options, signal);
  // Its job removes the www name.
  if (isDead) return renewFor(`${twinOf(record.domain)} is wrong again, and is taken off`, record, options);
  if (drift && (await requests.store.noteMonitored(record, record.jobId, drift))) log(record, drift, options);
  if (drift && repair) await repairDrift(record, drift, options);
  if (joining) await renewFor(`${joining.name} is right, and joins`, record, options);
}

/** What is said of it; the www name that was left out and may join; whether one that came along by our own rule is dead. */
async function examine(
  before: DomainRecord,
  { probe, findAttached, findRenewal }: Checks,
  options: MonitorOptions,
  signal: AbortSignal,
): Promise<{ drift: Drift | undefined; joining: DnsFinding | undefined; isDead: boolean }> {
  const listed = await findAttached(before);
  // The names that RunCloud has are judged. Of a www name that was left out only the DNS is probed.
  const record = { ...before, attachedWww: listed?.attached?.www ?? before.attachedWww };
  const { evidence, leftOut } = await probeRecord({ record, calls: { signal } }, probe);
  const problem = await findRenewal?.(record, { signal });
  const judged = judgeDrift(record, listed && listed.attached !== undefined, evidence);
  // The www name may be a domain of its own meanwhile.
  const twin = leftOut && (await findAttached({ ...before, domain: twinOf(before.domain) }));
  const isTaken = twin?.attached !== undefined;
  const whole = judged && leftOut ? withLeftOut(judged, record, leftOut, { ...options, isTaken }) : judged;
  const drift = whole && problem ? withOutOfReach(whole, problem) : whole;
  const joins = options.changesWww && listed?.attached && !isTaken && leftOut && leadsHere(leftOut);
  return {
    drift,
    joining: joins ? leftOut : undefined,
    isDead: options.changesWww && listed?.attached !== undefined && shouldDropWww(record, evidence, 0),
  };
}

/** The judgement of a domain without its desired www name, with the DNS records that bring it. */
function withLeftOut(
  drift: Drift,
  { domain }: DomainRecord,
  leftOut: DnsFinding,
  options: Pick<MonitorOptions, 'changesWww'> & { readonly isTaken: boolean },
): Drift {
  const { sentence, report } = drift;
  const evidence = report.evidence as Evidence | undefined;
  return {
    ...drift,
    sentence:
      report.state && states[report.state].needsAction
        ? sentence
        : inSentences(sentence, withheldWww(domain, leftOut, options)),
    report: { ...report, ...(evidence && { evidence: { ...evidence, dns: [...evidence.dns, leftOut] } }) },
  };
}

/** Its www name joins or goes: the same request runs again, and finds it so. */
async function renewFor(
  why: string,
  record: DomainRecord,
  { requests, logger }: MonitorOptions,
): Promise<void> {
  const { domain, serverId, appId } = record;
  const { fate } = await requests.reenqueue(record, 'monitor');
  if (fate === 'new') logger.info({ event: 'www-changes', domain, serverId, appId }, `${domain}: ${why}`);
}

function log(
  { domain, serverId, appId }: DomainRecord,
  { sentence, report }: Drift,
  { logger }: MonitorOptions,
): void {
  const { state, mustAct } = report;
  const level = state && states[state].needsAction ? 'warn' : 'info';
  const event = `domain-${state}`;
  logger[level]({ event, domain, serverId, appId, ...(mustAct && { mustAct }) }, `${domain}: ${sentence}`);
}

// One order for a late or wrong certificate, whatever comes of it: a person must check what a second one would repair. A request
// without an order (SSL_COOLDOWN, a limit, a failed redeploy) is repeated in the next round.
async function repairDrift(
  record: DomainRecord,
  { repair, report }: Drift,
  options: MonitorOptions,
): Promise<void> {
  const { requests } = options;
  if (repair?.kind === 'attach') await requests.reenqueue(record, 'monitor');
  if (repair?.kind !== 'redeploy') return;
  const now = (report.evidence as Evidence | undefined)?.at ?? (await requests.store.now());
  const wrongSince = await requests.certificates.noteWrong(record, repair.instead, now);
  if (await isOrderedSince(wrongSince, record, options)) return;
  await requests.requestRedeploy(record, { domain: record.domain, atOnce: true });
}

/** Whether an order with the domain on it has left since: of the certificate that it shares, or of its own. */
async function isOrderedSince(
  since: number,
  { serverId, appId, domain }: DomainRecord,
  { ledger }: MonitorOptions,
): Promise<boolean> {
  const app = { serverId, appId };
  const orders = await Promise.all([ledger.last(app), ledger.last(app, domain)]);
  return orders.some((order) => order?.names.includes(domain) && order.orderedAt >= since);
}
