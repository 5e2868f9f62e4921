// How one domain stands, and all of them: its record, its job, its certificate. Reads Redis only.
import { reasonOf } from '../errors.ts';
import type { CertificateRecord } from '../intent/certificates.ts';
import type { Intent, Transition } from '../intent/intent.ts';
import { toMember } from '../intent/keys.ts';
import type { Budget, Ledger } from '../intent/ledger.ts';
import { namesOfIntent } from '../intent/names.ts';
import type { IntentStore } from '../intent/store.ts';
import type { Stage } from '../outcome.ts';
import type { RequestQueue } from './requests.ts';

/** One job as the queue holds it. Times in milliseconds since the epoch. */
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
  readonly intent: Intent;
  readonly job: JobStatus;
  /** What is known of its web application's certificate. */
  readonly certificate: CertificateRecord | undefined;
  readonly redeploy: JobStatus | undefined;
}

/** One domain with what takes a question of its own. */
export interface DomainDetails extends DomainStatus {
  /** Its last transitions, the newest first; of a removed domain too. */
  readonly history: readonly Transition[];
  /** What Let's Encrypt still allows for its names. */
  readonly budgets: readonly Budget[];
}

/** How all domains stand. */
export interface Survey {
  readonly domains: readonly DomainStatus[];
  /** How many of all domains stand in which stage; a stage without any is left out. */
  readonly stages: Readonly<Partial<Record<Stage, number>>>;
}

export interface DomainReadings {
  jobStatus(id: string): Promise<JobStatus>;
  detailsOf(intent: Intent): Promise<DomainDetails>;
  survey(limit: number, only?: readonly Stage[]): Promise<Survey>;
}

export function createDomainReadings(
  requests: RequestQueue,
  ledger: Pick<Ledger, 'budgets' | 'last'>,
): DomainReadings {
  const { intents, certificates } = requests;
  const jobStatus = createJobStatus(requests);
  const statusOf = async (intent: Intent): Promise<DomainStatus> => {
    const [job, certificate] = await Promise.all([jobStatus(intent.jobId), certificates.get(intent)]);
    const redeploy = certificate?.jobId ? await jobStatus(certificate.jobId) : undefined;
    return { intent, job, certificate, redeploy };
  };
  return {
    jobStatus,
    async detailsOf(intent) {
      const [status, history, budgets] = await Promise.all([
        statusOf(intent),
        intents.history(intent),
        budgetsOf(intent, ledger),
      ]);
      return { ...status, history, budgets };
    },
    async survey(limit, only) {
      const { stages, matching } = await walk(intents, only);
      const shown = only ? matching.slice(0, limit) : await intents.list(limit);
      return { domains: await Promise.all(shown.map(statusOf)), stages };
    },
  };
}

/** Where the domain stands on a certificate with others, the limit of identical certificates is that of all their names. */
async function budgetsOf(
  intent: Intent,
  ledger: Pick<Ledger, 'budgets' | 'last'>,
): Promise<readonly Budget[]> {
  const [own, shared] = await Promise.all([ledger.last(intent, intent.domain), ledger.last(intent)]);
  const budgets = await ledger.budgets(namesOfIntent(intent));
  if (own || !shared?.names.includes(intent.domain)) return budgets;
  const ofAll = await ledger.budgets(shared.names);
  const isDuplicates = ({ limit }: Budget): boolean => limit === 'duplicates-per-week';
  return budgets.map((budget) => (isDuplicates(budget) ? (ofAll.find(isDuplicates) ?? budget) : budget));
}

/** Counts all domains by stage, and gathers those in `only`, the newest request first. */
async function walk(
  intents: Pick<IntentStore, 'scan'>,
  only: readonly Stage[] = [],
): Promise<{ stages: Partial<Record<Stage, number>>; matching: Intent[] }> {
  const stages: Partial<Record<Stage, number>> = {};
  const matching: Intent[] = [];
  // Redis' scan may show one twice.
  const seen = new Set<string>();
  for await (const intent of intents.scan()) {
    const { stage } = intent;
    if (seen.has(toMember(intent))) continue;
    seen.add(toMember(intent));
    stages[stage] = (stages[stage] ?? 0) + 1;
    if (only.includes(stage)) matching.push(intent);
  }
  return { stages, matching: matching.toSorted((a, b) => b.requestedAt - a.requestedAt) };
}

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
