// The status of one domain, and of all: its record, its job, its certificate. Reads Redis only.

import type { CertificateRecord } from '../certificates/certificates.ts';
import type { DomainRedeploy } from '../certificates/domain-redeploys.ts';
import type { Budget, Ledger } from '../certificates/ledger.ts';
import type { DomainRecord, Transition } from '../domains/domain.ts';
import { namesOfRecord } from '../domains/names.ts';
import { isOn, isSelected, type Selection } from '../domains/selection.ts';
import { counted } from '../domains/sentences.ts';
import type { DomainState } from '../domains/states.ts';
import type { DomainStore } from '../domains/store.ts';
import { reasonOf } from '../errors.ts';
import { toMember } from '../redis/keys.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import type { RequestQueue } from './enqueue.ts';

/** One job in the queue. Times in milliseconds since the epoch. */
export interface JobStatus {
  readonly id: string;
  /** `gone`: its record was dropped, or it never was. */
  readonly state: 'waiting' | 'active' | 'delayed' | 'failed' | 'completed' | 'gone';
  readonly attemptsMade: number;
  /** Why the last attempt failed. */
  readonly failedReason: string | undefined;
  /** What a completed job said of itself. */
  readonly result: string | undefined;
  readonly nextRunAt: number | undefined;
  /** The last line of a delayed job's own log: why it waits, and until when. */
  readonly lastWords?: string | undefined;
}

/** One domain as status pages show it. */
export interface DomainStatus {
  readonly record: DomainRecord;
  readonly job: JobStatus;
  /** What the last redeploy said to it. */
  readonly certificate: DomainRedeploy;
  /** The job that it waits for; what that says of itself is about all domains, and left out. */
  readonly redeploy: JobStatus | undefined;
}

/** A web application's certificate, for operators: what it says may name any domain. */
export interface CertificateStatus extends WebApplication {
  readonly certificate: CertificateRecord;
  readonly redeploy: JobStatus | undefined;
}

/** One domain with what takes a question of its own. */
export interface DomainDetails extends DomainStatus {
  /** Its last transitions, the newest first; of a removed domain too. */
  readonly history: readonly Transition[];
  /** What Let's Encrypt still allows for its names. */
  readonly budgets: readonly Budget[];
}

/** How many domains stand how. */
export interface Survey {
  /** Those that were selected, the newest request first, up to the limit. */
  readonly domains: readonly DomainStatus[];
  /** Those of the domains that are shown. */
  readonly certificates: readonly CertificateStatus[];
  /** How many were selected, shown or not. */
  readonly selected: number;
  /** How many of all domains of the chosen web applications stand in which stage; a stage without any is left out. */
  readonly states: Readonly<Partial<Record<DomainState, number>>>;
  /** How many web applications have a record of any domain. */
  readonly apps: number;
}

/** There may be thousands: other requests of this process run in between. */
export const READ_AT_ONCE = 50;

export interface DomainQueries {
  jobStatus(id: string): Promise<JobStatus>;
  detailsOf(record: DomainRecord): Promise<DomainDetails>;
  survey(limit: number, selection?: Selection): Promise<Survey>;
}

export function createDomainQueries(
  requests: RequestQueue,
  ledger: Pick<Ledger, 'budgets' | 'last'>,
): DomainQueries {
  const { store, certificates } = requests;
  const jobStatus = createJobStatus(requests);
  const statusOf = async (record: DomainRecord): Promise<DomainStatus> => {
    const [job, certificate] = await Promise.all([jobStatus(record.jobId), certificates.redeployOf(record)]);
    const shared = certificate.isPending ? await certificates.get(record) : undefined;
    const redeploy = shared?.jobId ? inFewWords(await jobStatus(shared.jobId), shared) : undefined;
    return { record, job, certificate, redeploy };
  };
  const certificateOf = async ({ serverId, appId }: WebApplication): Promise<CertificateStatus[]> => {
    const certificate = await certificates.get({ serverId, appId });
    if (!certificate) return [];
    const redeploy = certificate.jobId ? await jobStatus(certificate.jobId) : undefined;
    return [{ serverId, appId, certificate, redeploy }];
  };
  return {
    jobStatus,
    async detailsOf(record) {
      const [status, history, budgets] = await Promise.all([
        statusOf(record),
        store.history(record),
        budgetsOf(record, ledger),
      ]);
      return { ...status, history, budgets };
    },
    async survey(limit, selection = {}) {
      const { newest, ...numbers } = await walk(store, limit, selection);
      const domains: DomainStatus[] = [];
      for (let at = 0; at < newest.length; at += READ_AT_ONCE)
        domains.push(...(await Promise.all(newest.slice(at, at + READ_AT_ONCE).map(statusOf))));
      const apps = new Map(newest.map((record) => [`${record.serverId}:${record.appId}`, record]));
      const certificates = await Promise.all([...apps.values()].map(certificateOf));
      return { ...numbers, domains, certificates: certificates.flat() };
    },
  };
}

/** A pause is everybody's. */
const inFewWords = (job: JobStatus, { outcome, reasonCode }: CertificateRecord): JobStatus => ({
  ...job,
  failedReason: undefined,
  result: undefined,
  lastWords: reasonCode === 'paused' ? outcome : undefined,
});

/** Where the domain stands on a certificate with others, the limit of identical certificates is that of all their names. */
async function budgetsOf(
  record: DomainRecord,
  ledger: Pick<Ledger, 'budgets' | 'last'>,
): Promise<readonly Budget[]> {
  const [own, shared] = await Promise.all([ledger.last(record, record.domain), ledger.last(record)]);
  const budgets = await ledger.budgets(namesOfRecord(record));
  if (own || !shared?.names.includes(record.domain)) return budgets;
  const isDuplicates = ({ limit }: Budget): boolean => limit === 'duplicates-per-week';
  const ofAll = (await ledger.budgets(shared.names)).find(isDuplicates);
  const subject = `the ${counted(shared.names.length, 'name')} of its certificate`;
  return budgets.map((budget) => (ofAll && isDuplicates(budget) ? { ...ofAll, subject } : budget));
}

interface Walk extends Omit<Survey, 'domains' | 'certificates'> {
  /** The selected, the newest request first, at most `limit`. */
  readonly newest: readonly DomainRecord[];
}

/** Counts all domains, and gathers those that are selected. Keeps no more of them than will be shown, and some. */
async function walk(store: Pick<DomainStore, 'scan'>, limit: number, selection: Selection): Promise<Walk> {
  const states: Partial<Record<DomainState, number>> = {};
  const apps = new Set<string>();
  let [newest, selected]: [DomainRecord[], number] = [[], 0];
  // Redis' scan may show one twice.
  const counted = new Set<string>();
  for await (const record of store.scan()) {
    if (counted.has(toMember(record))) continue;
    counted.add(toMember(record));
    apps.add(`${record.serverId}:${record.appId}`);
    if (isOn(record, selection)) states[record.state] = (states[record.state] ?? 0) + 1;
    if (!isSelected(record, selection)) continue;
    selected += 1;
    newest.push(record);
    if (newest.length > limit + KEPT_BESIDE) newest = newestOf(newest, limit);
  }
  return { states, apps: apps.size, selected, newest: newestOf(newest, limit) };
}

const KEPT_BESIDE = 1_000;
const newestOf = (store: readonly DomainRecord[], limit: number): DomainRecord[] =>
  store.toSorted((a, b) => b.requestedAt - a.requestedAt).slice(0, limit);

function createJobStatus(requests: RequestQueue) {
  const { queue } = requests;
  return async (id: string): Promise<JobStatus> => {
    // The state first: a record that was read before its job ended would lack the result.
    const found = plain(await queue.getJobState(id));
    // BullMQ's own keys stand beside those of its jobs: `events` is none.
    const job = await queue.getJob(id).catch((error: unknown) => {
      if (reasonOf(error).startsWith('WRONGTYPE')) return undefined;
      throw error;
    });
    const state = job ? found : 'gone';
    return {
      id,
      state,
      attemptsMade: job?.attemptsMade ?? 0,
      failedReason: job?.failedReason || undefined,
      result: typeof job?.returnvalue === 'string' ? job.returnvalue : undefined,
      nextRunAt: state === 'delayed' ? await requests.dueAt(id) : undefined,
      lastWords: state === 'delayed' ? await lastWords(queue, id) : undefined,
    };
  };
}

async function lastWords(queue: RequestQueue['queue'], id: string): Promise<string | undefined> {
  const { logs } = await queue.getJobLogs(id, 0, 0, false);
  return logs[0];
}

function plain(state: string): JobStatus['state'] {
  if (state === 'active' || state === 'delayed' || state === 'failed' || state === 'completed') return state;
  return state === 'unknown' ? 'gone' : 'waiting';
}
