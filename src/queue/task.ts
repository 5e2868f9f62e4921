// What a job requests once it is parsed: its claim, its work, and its record. Two kinds: of a domain, of a certificate.
import { type Requester, toRequesterText } from '../domains/domain.ts';
import { withoutOthers } from '../domains/other-names.ts';
import { type Outcome, superseded, waiting } from '../domains/outcome.ts';
import type { JobRef } from '../domains/store.ts';
import { type JobDefaults, type JobName, type ParsedJob, parseJob } from '../jobs/catalog.ts';
import { BUSY_MS, type DomainHandler } from '../jobs/domain-work.ts';
import type { RedeployHandler } from '../jobs/redeploy-ssl.ts';
import { toJobIdStem } from '../redis/keys.ts';
import type { RequestQueue } from './enqueue.ts';
import { PRODUCER, readJob, requesterOf } from './job-payload.ts';
import { lanesOf } from './line.ts';
import * as messages from './messages.ts';
import type { PauseSubject } from './pauses.ts';
import type { Requested } from './request-entries.ts';
import type { Run } from './run.ts';
import { end, type Verdict, verdictOfOutcome } from './verdict.ts';

export interface Handlers {
  readonly 'add-domain': DomainHandler;
  readonly 'remove-domain': DomainHandler;
  readonly 'redeploy-ssl': RedeployHandler;
}

/** A parsed job. */
export interface Task {
  /** For the log line. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly announcement: string;
  readonly unknownFields: readonly string[];
  /** As the audit log names it. */
  readonly request: { readonly name: JobName } & Requested;
  /** An external producer added it, or our client: the audit log does not have it yet. */
  readonly isExternal: boolean;
  /** The rows in which it waits for its turn (line.ts). */
  readonly lanes: readonly string[];
  /** What may be paused for this job. */
  readonly subject: PauseSubject;
  /** Claims the request and returns its work. Throws Ended if there is none to do. */
  claim(): Promise<() => Promise<Outcome>>;
  /** Writes the verdict into the record, and returns the verdict that counts. */
  record(verdict: Verdict): Promise<Verdict>;
}

export interface TaskOptions {
  readonly handlers: Handlers;
  readonly requests: RequestQueue;
  readonly defaults: JobDefaults;
  /** SSL_REDEPLOY_DELAY: how long a redeploy waits for more domains. */
  readonly redeployDelayMs: number;
}

/** Throws the PermanentErrors of parseJob. */
export async function createTask(run: Run, options: TaskOptions): Promise<Task> {
  const { by: named, payload } = readJob(run.job);
  const parsed = parseJob(run.job.name, payload, options.defaults);
  const { id = '' } = run.job;
  const { store, certificates } = options.requests;
  if (parsed.name === 'redeploy-ssl') {
    const { app } = parsed;
    const record = await certificates.get(app);
    const known = record && { jobId: record.jobId, request: record.state, by: named };
    const found = requesterOf(id, toJobIdStem(app), known);
    const requester = { ...parsed.requester, by: found.by };
    return redeployTask({ ...parsed, requester }, isExternal(found, named), run, options);
  }
  const { request } = parsed;
  const found = requesterOf(id, toJobIdStem(request), await store.get(request));
  return domainTask(
    { ...parsed, request: { ...request, by: found.by } },
    isExternal(found, named),
    run,
    options,
  );
}

/** The name `producer` proves nothing: every external producer has it. */
const isExternal = (found: ReturnType<typeof requesterOf>, named: string | undefined): boolean =>
  found.isExternal || named === PRODUCER;

type DomainJob = Extract<ParsedJob, { request: object }>;
type RedeployJob = Extract<ParsedJob, { name: 'redeploy-ssl' }>;

function domainTask(
  { name, request, unknownFields }: DomainJob,
  isExternal: boolean,
  run: Run,
  { handlers, requests }: TaskOptions,
): Task {
  const { store } = requests;
  const jobId = run.job.id ?? '';
  const { domain, serverId, appId, siteId } = request;
  let requestedAt: number | undefined;
  return {
    fields: { domain, serverId, appId, ...(siteId !== undefined && { siteId }), ...whoOf(request) },
    announcement: messages.started(name, domain, attemptOf(run), toRequesterText(request)),
    request: { name, domain, appId, for: request.for },
    unknownFields,
    isExternal,
    lanes: lanesOf(request.by, request),
    subject: { serverId, appId, siteId },
    async claim() {
      const { fate, record } = await store.claim(jobRefOf(run), request);
      requestedAt = record.requestedAt;
      if (fate === 'busy') end(waiting(messages.busyWriting(domain), BUSY_MS, { reasonCode: 'busy' }));
      if (fate === 'superseded') end(superseded(messages.superseded(domain, record.jobId)));
      const say = (sentence: string): void => run.log('debug', withoutOthers(sentence, [domain]));
      return () => handlers[name]({ record, jobId, calls: run.calls, attempt: run.attempt, say });
    },
    async record(given) {
      if (given.kind === 'superseded') return given;
      const verdict = inOwnWords(given, domain);
      const { sentence: outcome, code, nextRunAt, report } = verdict;
      const facts = { outcome, code, nextRunAt, report, token: run.token, requestedAt };
      const settled = await store.settle(request, jobId, { request: requestStateOf(verdict), ...facts });
      if (settled !== 'again') return verdict;
      return verdictOfOutcome(
        waiting(messages.requestedAgain(domain), 0, { reasonCode: 'busy' }),
        Date.now(),
      );
    },
  };
}

const requestStateOf = ({ kind }: Verdict) =>
  kind === 'done' ? 'settled' : kind === 'failed' ? 'failed' : 'pending';

/** RunCloud's own words may name anybody. */
const inOwnWords = (verdict: Verdict, domain: string): Verdict =>
  verdict.code?.startsWith('runcloud-')
    ? { ...verdict, sentence: withoutOthers(verdict.sentence, [domain]) }
    : verdict;

function redeployTask(
  parsed: RedeployJob,
  isExternal: boolean,
  run: Run,
  { handlers, requests, redeployDelayMs }: TaskOptions,
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
    announcement: messages.started('redeploy-ssl', what, attemptOf(run), toRequesterText(requester)),
    request: { name: 'redeploy-ssl', domain, appId: app.appId, for: requester.for },
    unknownFields,
    isExternal,
    lanes: lanesOf(requester.by, app),
    subject: app,
    // Claim and start are one step.
    claim: async () => async () => {
      const start = await certificates.begin(app, jobRefOf(run), { domain, delayMs: redeployDelayMs });
      if (start.kind === 'superseded') return superseded(messages.redeploySuperseded(app.appId));
      if (start.kind === 'busy')
        return waiting(messages.redeployBusy, REDEPLOY_BUSY_MS, { reasonCode: 'busy' });
      if (start.kind === 'early')
        return waiting(messages.redeployDelayed, start.delayMs, { reasonCode: 'redeploy-delayed' });
      return handlers['redeploy-ssl']({ app, ...start, jobId, attempt: run.attempt, calls: run.calls });
    },
    async record(verdict) {
      if (verdict.kind === 'superseded') return verdict;
      const result = verdict.kind === 'done' || verdict.kind === 'failed' ? verdict.kind : 'pending';
      const { sentence: outcome, forDomains = withoutOthers(outcome), code, nextRunAt, report } = verdict;
      const { mustAct, reasonCode } = report ?? {};
      const facts = { outcome, forDomains, reasonCode, code, nextRunAt, mustAct };
      await certificates.end(app, jobId, { result, ...facts, token: run.token });
      return verdict;
    },
  };
}

const whoOf = ({ by, for: behalf }: Requester) => ({
  ...(by !== undefined && { by }),
  ...(behalf !== undefined && { for: behalf }),
});

const jobRefOf = ({ job }: Run): JobRef => ({
  jobId: job.id ?? '',
  addedAt: job.timestamp,
  again: job.attemptsStarted > 1,
});

const attemptOf = ({ job, attempt }: Run) => ({ attempt, attempts: job.opts.attempts ?? 1 });

const REDEPLOY_BUSY_MS = 5_000;
