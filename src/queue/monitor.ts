// The watch: now and then one worker looks at every domain that was done, and says where one is no longer as it was. It writes
// nothing to RunCloud, unless MONITOR_REPAIR says that what is missing may be asked for again. A www name that we left out joins in any
// case when its DNS is right: that is the rest of the request.

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
import { createPeriodic, type Periodic } from './periodic.ts';

export interface MonitorOptions {
  readonly redis: Redis;
  readonly requests: RequestQueue;
  readonly directory: Directory;
  /** Says whether an order has left for a certificate that was found wrong. */
  readonly ledger: Pick<Ledger, 'last'>;
  readonly logger: Logger;
  /** Undefined where neither DNS nor TLS is looked at: then there is nothing to watch. */
  readonly probe: Probe | undefined;
  /** For each pass: which certificates RunCloud cannot renew any more. */
  readonly beginRenewalCheck: () => RenewalCheck | undefined;
  /** True while RunCloud is down or refuses us: then its list is not read. */
  readonly isUnavailable: () => Promise<boolean>;
  readonly intervalMs: number;
  readonly repair: boolean;
  /** API v3 can switch the www name of a domain that is there: one that was left out joins when its DNS is right. */
  readonly changesWww: boolean;
}

export interface Watcher extends Periodic {
  /** Looks once, whatever the others do. */
  watch(): Promise<void>;
}

/** The watcher's turn, in Redis: one worker per interval. */
const TURN = 'watch';
/** Domains that are looked at together. */
const BATCH = 10;

export function createWatcher(options: MonitorOptions): Watcher {
  const { redis, requests, logger, intervalMs } = options;
  const turns = createPeriodic({
    redis,
    key: requests.keyOf(TURN),
    intervalMs,
    run: (signal) => watchAll(options, signal),
    onError: (error) => logger.warn({ event: 'watch-failed' }, `watch: ${reasonOf(error)}`),
  });
  return { watch: () => watchAll(options, new AbortController().signal), ...turns };
}

async function watchAll(options: MonitorOptions, signal: AbortSignal): Promise<void> {
  const { requests, probe, logger } = options;
  if (!probe) return;
  const findAttached = await createAttachedLook(options, signal);
  const findRenewal = (await options.isUnavailable()) ? undefined : options.beginRenewalCheck();
  const watch = async (record: DomainRecord): Promise<void> => {
    try {
      await watchOne(record, { probe, findAttached, findRenewal }, options, signal);
    } catch (error) {
      if (!signal.aborted)
        logger.warn({ event: 'watch-blind', domain: record.domain }, `watch: ${reasonOf(error)}`);
    }
  };
  const batch: DomainRecord[] = [];
  for await (const record of requests.store.scan()) {
    if (signal.aborted) return;
    if (record.request === 'settled' && record.desired.presence === 'present') batch.push(record);
    if (batch.length === BATCH) await Promise.all(batch.splice(0).map(watch));
  }
  await Promise.all(batch.map(watch));
}

type Seen = { readonly attached: AttachedDomain | undefined } | undefined;
type AttachedLook = (record: DomainRecord) => Promise<Seen>;

type Rows = ReadonlyMap<string, AttachedDomain>;

// How RunCloud's list has a domain; undefined where nobody can say. A web application whose list cannot be read is asked once
// in a pass and told once; what DNS and a handshake show of its domains counts all the same.
async function createAttachedLook(
  { requests, directory, isUnavailable, logger }: MonitorOptions,
  signal: AbortSignal,
): Promise<AttachedLook> {
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
      const what = `whether web application ${appId} still has its domains cannot be seen this time`;
      logger.warn({ event: 'watch-blind', serverId, appId }, `watch: ${what}: ${reasonOf(error)}`);
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
    // One odd list must not tell all customers that their domains are gone: it takes two.
    const second = await seconds(record);
    return second && { attached: second.get(record.domain) };
  };
}

/** Each web application is read once in a pass, whoever asks. */
function createOnce(read: (app: WebApplication) => Promise<Rows | undefined>) {
  const all = new Map<string, Promise<Rows | undefined>>();
  return ({ serverId, appId }: WebApplication): Promise<Rows | undefined> => {
    const key = `${serverId}:${appId}`;
    const reading = all.get(key) ?? read({ serverId, appId });
    all.set(key, reading);
    return reading;
  };
}

/** What is looked at in one pass. */
interface Looks {
  readonly probe: Probe;
  readonly findAttached: AttachedLook;
  /** Undefined while RunCloud is not read. */
  readonly findRenewal: RenewalCheck | undefined;
}

async function watchOne(
  record: DomainRecord,
  probes: Looks,
  options: MonitorOptions,
  signal: AbortSignal,
): Promise<void> {
  const { requests, repair } = options;
  const { watched, joining, isDead } = await lookAtOne(record, probes, options, signal);
  // Its job looks at it as the last look left it, and takes the www name off.
  if (isDead) return renewFor(`${twinOf(record.domain)} is wrong again, and is taken off`, record, options);
  if (watched && (await requests.store.noteMonitored(record, record.jobId, watched)))
    tell(record, watched, options);
  if (watched && repair) await mend(record, watched, options);
  if (joining) await renewFor(`${joining.name} is right, and joins`, record, options);
}

/** What is said of it; the www name that was left out and may join; whether one that came along by our own rule is dead. */
async function lookAtOne(
  before: DomainRecord,
  { probe, findAttached, findRenewal }: Looks,
  options: MonitorOptions,
  signal: AbortSignal,
): Promise<{ watched: Drift | undefined; joining: DnsFinding | undefined; isDead: boolean }> {
  const seen = await findAttached(before);
  // Judged are the names that RunCloud has; of one that we left out only the DNS is looked at.
  const record = { ...before, attachedWww: seen?.attached?.www ?? before.attachedWww };
  const { evidence, leftOut } = await probeRecord({ record, calls: { signal } }, probe);
  const problem = await findRenewal?.(record, { signal });
  const judged = judgeDrift(record, seen && seen.attached !== undefined, evidence);
  // The www name may be a domain of its own meanwhile.
  const twin = leftOut && (await findAttached({ ...before, domain: twinOf(before.domain) }));
  const isTaken = twin?.attached !== undefined;
  const whole = judged && leftOut ? withLeftOut(judged, record, leftOut, { ...options, isTaken }) : judged;
  const watched = whole && problem ? withOutOfReach(whole, problem) : whole;
  const joins = options.changesWww && seen?.attached && !isTaken && leftOut && leadsHere(leftOut);
  return {
    watched,
    joining: joins ? leftOut : undefined,
    isDead: options.changesWww && seen?.attached !== undefined && shouldDropWww(record, evidence, 0),
  };
}

/** What is said of a domain without the www name that was wanted, and the records that bring it. */
function withLeftOut(
  watched: Drift,
  { domain }: DomainRecord,
  leftOut: DnsFinding,
  options: Pick<MonitorOptions, 'changesWww'> & { readonly isTaken: boolean },
): Drift {
  const { sentence, report } = watched;
  const evidence = report.evidence as Evidence | undefined;
  return {
    ...watched,
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
  const { fate } = await requests.renew(record, 'the watch');
  if (fate === 'new') logger.info({ event: 'www-changes', domain, serverId, appId }, `${domain}: ${why}`);
}

function tell(
  { domain, serverId, appId }: DomainRecord,
  { sentence, report }: Drift,
  { logger }: MonitorOptions,
): void {
  const { state, mustAct } = report;
  const level = state && states[state].needsAction ? 'warn' : 'info';
  const event = `domain-${state}`;
  logger[level]({ event, domain, serverId, appId, ...(mustAct && { mustAct }) }, `${domain}: ${sentence}`);
}

// One order for a certificate that is late or wrong, whatever comes of it: what a second one would mend, a person has to look at. An
// ask from which no order came (SSL_COOLDOWN, a limit, a redeploy that failed) is repeated at the next watch.
async function mend(record: DomainRecord, { repair, report }: Drift, options: MonitorOptions): Promise<void> {
  const { requests } = options;
  if (repair?.kind === 'attach') await requests.renew(record, 'the watch');
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
