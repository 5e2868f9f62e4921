// What each job does once it is taken: parse, claim, hand over to its handler, and write the outcome into the record.
// Knows the records and the handlers; BullMQ's own moves are worker.ts' business.
import { type Requester, toRequesterText } from '../domains/domain.ts';
import { withoutOthers } from '../domains/other-names.ts';
import { type Outcome, superseded, waiting } from '../domains/outcome.ts';
import type { JobRef } from '../domains/store.ts';
import type { JobName, ParsedJob } from '../jobs/catalog.ts';
import { type JobDefaults, parseJob } from '../jobs/catalog.ts';
import { BUSY_MS, type DomainHandler } from '../jobs/domain-work.ts';
import type { RedeployHandler } from '../jobs/redeploy-ssl.ts';
import { toJobIdStem } from '../redis/keys.ts';
import type { RequestQueue } from './enqueue.ts';
import { PRODUCER, readJob, requesterOf } from './job-payload.ts';
import { lanesOf } from './line.ts';
import type { PauseSubject } from './pauses.ts';
import type { Requested } from './request-entries.ts';
import type { Run } from './run.ts';
import { type Verdict, verdictOfOutcome } from './verdict.ts';

export interface Handlers {
  readonly 'add-domain': DomainHandler;
  readonly 'remove-domain': DomainHandler;
  readonly 'redeploy-ssl': RedeployHandler;
}

/** A job that was understood: how to perform it, and how to record what came of it. */
export interface Task {
  /** For the log line. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly announcement: string;
  readonly unknownFields: readonly string[];
  /** What is asked for, as the audit log names it. */
  readonly asked: { readonly name: JobName } & Requested;
  /** A program asks through Redis, by itself or by our client: no door of ours has written into the audit log that it does. */
  readonly isUnwritten: boolean;
  /** With whom it takes turns (line.ts). */
  readonly lanes: readonly string[];
  /** What may be paused for this job. */
  readonly subject: PauseSubject;
  /** Takes the job's place among the requests, and returns its work; or an outcome, where there is none to do. */
  claim(): Promise<Outcome | Work>;
  /** Writes the verdict into the record; the one that is returned counts. */
  record(verdict: Verdict): Promise<Verdict>;
}

export type Work = () => Promise<Outcome>;

export interface TaskOptions {
  readonly handlers: Handlers;
  readonly requests: RequestQueue;
  readonly defaults: JobDefaults;
}

/** Throws the PermanentErrors of parseJob. */
export async function createTask(run: Run, options: TaskOptions): Promise<Task> {
  const { by: said, payload } = readJob(run.job);
  const parsed = parseJob(run.job.name, payload, options.defaults);
  const { id = '' } = run.job;
  const { store, certificates } = options.requests;
  if (parsed.name === 'redeploy-ssl') {
    const { app } = parsed;
    const record = await certificates.get(app);
    const asked = requesterOf(
      id,
      toJobIdStem(app),
      record && { jobId: record.jobId, request: record.state, by: said },
    );
    const requester = { ...parsed.requester, by: asked.by };
    return redeployTask({ ...parsed, requester }, toOrigin(asked, said), run, options);
  }
  const { request } = parsed;
  const asked = requesterOf(id, toJobIdStem(request), await store.get(request));
  const domainJob = { ...parsed, request: { ...request, by: asked.by } };
  return domainTask(domainJob, toOrigin(asked, said), run, options);
}

type Origin = Pick<Task, 'isUnwritten'>;

/** Who calls himself a producer claims nothing: that is what everybody is who proves nothing. */
const toOrigin = ({ isBare }: ReturnType<typeof requesterOf>, said: string | undefined): Origin => ({
  isUnwritten: isBare || said === PRODUCER,
});

type DomainJob = Extract<ParsedJob, { request: object }>;
type RedeployJob = Extract<ParsedJob, { name: 'redeploy-ssl' }>;

function domainTask(
  { name, request, unknownFields }: DomainJob,
  { isUnwritten }: Origin,
  run: Run,
  { handlers, requests }: TaskOptions,
): Task {
  const { store } = requests;
  const jobId = run.job.id ?? '';
  const { domain, serverId, appId, siteId } = request;
  let requestedAt: number | undefined;
  return {
    fields: { domain, serverId, appId, ...(siteId !== undefined && { siteId }), ...whoOf(request) },
    announcement: announce(name, domain, run, request),
    asked: { name, domain, appId, for: request.for },
    unknownFields,
    isUnwritten,
    lanes: lanesOf(request.by, request),
    subject: { serverId, appId, siteId },
    async claim() {
      const { fate, record } = await store.claim(ticketOf(run), request);
      requestedAt = record.requestedAt;
      if (fate === 'busy') return waiting(`another run may still be writing for ${domain}`, BUSY_MS);
      if (fate === 'superseded')
        return superseded(`a newer request for ${domain} (job ${record.jobId}) has taken over`);
      const say = (sentence: string): void => run.say('debug', withoutOthers(sentence, [domain]));
      return () => handlers[name]({ record, jobId, calls: run.calls, attempt: run.attempt, say });
    },
    async record(given) {
      if (given.kind === 'superseded') return given;
      const verdict = inOwnWords(given, domain);
      const state = verdict.kind === 'done' ? 'settled' : verdict.kind === 'failed' ? 'failed' : 'pending';
      const { sentence: outcome, code, nextRunAt, report } = verdict;
      const settlement = {
        request: state,
        outcome,
        code,
        nextRunAt,
        token: run.token,
        requestedAt,
        report,
      } as const;
      const settled = await store.settle(request, jobId, settlement);
      return settled === 'again'
        ? verdictOfOutcome(waiting(`${domain} was asked for again; looking once more`, 0), Date.now())
        : verdict;
    },
  };
}

/** What RunCloud says beside a refusal may name anybody. */
const inOwnWords = (verdict: Verdict, domain: string): Verdict =>
  verdict.code?.startsWith('runcloud-')
    ? { ...verdict, sentence: withoutOthers(verdict.sentence, [domain]) }
    : verdict;

function redeployTask(
  parsed: RedeployJob,
  { isUnwritten }: Origin,
  run: Run,
  { handlers, requests }: TaskOptions,
): Task {
  const { certificates } = requests;
  const { app, domain, requester, unknownFields } = parsed;
  const jobId = run.job.id ?? '';
  const what = domain ?? `web application ${app.appId}`;
  return {
    fields: {
      ...(domain !== undefined && { domain }),
      serverId: app.serverId,
      appId: app.appId,
      ...whoOf(requester),
    },
    announcement: announce('redeploy-ssl', what, run, requester),
    asked: { name: 'redeploy-ssl', domain, appId: app.appId, for: requester.for },
    unknownFields,
    isUnwritten,
    lanes: lanesOf(requester.by, app),
    subject: app,
    // Its place is taken in one step with its start.
    claim: async () => async () => {
      const start = await certificates.begin(app, ticketOf(run), domain);
      if (start.kind === 'superseded')
        return superseded(`a newer redeploy of web application ${app.appId} covers this one`);
      if (start.kind === 'busy') return waiting('another redeploy of this web application is running', 5000);
      if (start.kind === 'early')
        return waiting('there were more changes; the delay counts from the newest', start.delayMs);
      return handlers['redeploy-ssl']({ app, ...start, jobId, attempt: run.attempt, calls: run.calls });
    },
    async record(verdict) {
      if (verdict.kind === 'superseded') return verdict;
      const result = verdict.kind === 'done' || verdict.kind === 'failed' ? verdict.kind : 'pending';
      const { sentence: outcome, forDomains = withoutOthers(outcome), code, nextRunAt, report } = verdict;
      const { mustAct, reasonCode } = report ?? {};
      const said = { outcome, forDomains, reasonCode, code, nextRunAt, mustAct };
      await certificates.end(app, jobId, { result, ...said, token: run.token });
      return verdict;
    },
  };
}

const whoOf = ({ by, for: behalf }: Requester) => ({
  ...(by !== undefined && { by }),
  ...(behalf !== undefined && { for: behalf }),
});

const ticketOf = ({ job }: Run): JobRef => ({
  jobId: job.id ?? '',
  addedAt: job.timestamp,
  again: job.attemptsStarted > 1,
});

function announce(name: JobName, what: string, { job, attempt }: Run, requester: Requester): string {
  const asked = toRequesterText(requester);
  const who = asked ? `, asked for ${asked}` : '';
  return `${name} ${what}: attempt ${attempt} of ${job.opts.attempts ?? 1}${who}`;
}
