// Domains and jobs in the HTTP API and in `--json`: the schemas, and the functions that make such
// records. Their fields are API. Times are ISO 8601; null: not known.
import { z } from 'zod';
import type { DomainRedeploy } from '../certificates/domain-redeploys.ts';
import type { DomainRecord, Transition } from '../domains/domain.ts';
import { actorOf } from '../domains/selection.ts';
import { actors, stateNames } from '../domains/states.ts';
import { codeOf, fixOf } from '../errors.ts';
import type { CertificateStatus, DomainDetails, DomainStatus, JobStatus } from '../queue/domain-status.ts';
import { dnsRecords, dnsRecordsOf, evidence, toDnsRecords, toEvidence } from './evidence.ts';
import { iso, reasonCode, text, time } from './fields.ts';

export const state = z.enum(stateNames).meta({ description: 'The state of the domain' });

const mustAct = z
  .enum(actors)
  .nullable()
  .meta({ description: 'Who must act. Null: nobody, it continues automatically.' });

const desired = z.union([
  z.object({
    presence: z.literal('present'),
    www: z.union([z.boolean(), z.literal('auto')]).meta({
      description: '`auto`: www is included by the default rule, not by a request',
    }),
    redirection: z.enum(['none', 'www', 'non-www']),
  }),
  z.object({ presence: z.literal('absent') }),
]);

const summaryFields = {
  domain: z.string(),
  serverId: z.int(),
  appId: z.int(),
  siteId: text,
  desired,
  state: state,
  since: time,
  reason: text.meta({ description: 'Why it has this state, as a sentence for people' }),
  reasonCode,
  code: text.meta({ description: 'The error code, if there is an error' }),
  fix: text.meta({ description: 'What to do about the error' }),
  mustAct,
  request: z.enum(['pending', 'settled', 'failed']).meta({
    description:
      '`pending`: its job is queued or running. `failed`: the next attempt is at `nextCheckAt`; null: there is none.',
  }),
  jobId: z.string(),
  requestedAt: time,
  by: text.meta({
    description: 'The caller: `api:<token>`, `cli:<user>`, or `producer` for an unverified program',
  }),
  for: text.meta({ description: "On whose behalf, in the caller's own words (`requestedBy`)" }),
  nextCheckAt: time,
};

export const domainSummary = z.object(summaryFields).meta({ description: 'One domain in a list' });

export const domainRecord = z
  .object({
    ...summaryFields,
    dnsRecords,
    evidence,
    job: z.object({ id: z.string(), state: z.string(), attemptsMade: z.int(), nextRunAt: time }),
    certificate: z.object({ reason: text, reasonCode, code: text, mustAct, at: time }).nullable().meta({
      description: 'The result of the last redeploy for this domain. Null: none since its last request.',
    }),
    redeploy: z
      .object({ id: z.string(), state: z.string(), nextRunAt: time })
      .nullable()
      .meta({ description: 'The job of the redeploy that the domain waits for' }),
    history: z
      .array(
        z.object({
          at: time,
          state: z.string(),
          mustAct: text,
          reason: z.string(),
          reasonCode,
          code: text,
          by: text,
          for: text,
        }),
      )
      .meta({ description: 'The last 50 changes of state, newest first' }),
    budgets: z
      .array(z.object({ limit: z.string(), subject: z.string(), left: z.number(), of: z.number() }))
      .meta({ description: "What is left of Let's Encrypt's limits for its names" }),
  })
  .meta({ description: 'The status of one domain' });

export const jobRecord = z
  .object({
    id: z.string(),
    state: z.enum(['waiting', 'active', 'delayed', 'failed', 'completed']),
    attemptsMade: z.int(),
    failedReason: text,
    code: text.meta({ description: 'The code that failedReason begins with' }),
    fix: text.meta({ description: 'What to do about the error' }),
    result: text,
    nextRunAt: time,
  })
  .meta({ description: 'One job of the queue' });

export const toSummary = (record: DomainRecord): z.output<typeof domainSummary> => ({
  domain: record.domain,
  serverId: record.serverId,
  appId: record.appId,
  siteId: record.siteId ?? null,
  desired: record.desired,
  state: record.state,
  since: iso(record.stateAt),
  reason: record.outcome ?? null,
  reasonCode: record.reasonCode ?? null,
  code: record.code ?? null,
  fix: fixFor(record) ?? null,
  mustAct: actorOf(record) ?? null,
  request: record.request,
  jobId: record.jobId,
  requestedAt: iso(record.requestedAt),
  by: record.by ?? null,
  for: record.for ?? null,
  nextCheckAt: record.request === 'settled' ? null : iso(record.nextRunAt),
});

/** What to do about a domain's error code, in its present state. */
export const fixFor = (record: DomainRecord): string | undefined =>
  fixOf(record.code, record.request === 'pending' && actorOf(record) === undefined);

/** When the job of the domain runs next; undefined: no time is set. */
export const nextCheckTimeOf = ({ record, job }: DomainStatus): number | undefined =>
  record.request === 'failed'
    ? record.nextRunAt
    : job.state === 'delayed'
      ? (job.nextRunAt ?? record.nextRunAt)
      : undefined;

type DomainAnswer = z.output<typeof domainRecord>;

/** A domain in `status --json`: all fields that need no further query. */
export function toStatus(status: DomainStatus): Omit<DomainAnswer, 'history' | 'budgets'> {
  const { record, job, certificate, redeploy } = status;
  return {
    ...toSummary(record),
    nextCheckAt: iso(nextCheckTimeOf(status)),
    dnsRecords: toDnsRecords(dnsRecordsOf(record)),
    evidence: record.evidence ? toEvidence(record.evidence) : null,
    job: { id: job.id, state: job.state, attemptsMade: job.attemptsMade, nextRunAt: iso(job.nextRunAt) },
    certificate: toCertificate(certificate),
    redeploy: redeploy
      ? { id: redeploy.id, state: redeploy.state, nextRunAt: iso(redeploy.nextRunAt) }
      : null,
  };
}

const toCertificate = ({ outcome, outcomeAt, mustAct: actor, reasonCode: why, code }: DomainRedeploy) =>
  outcome === undefined
    ? null
    : {
        reason: outcome,
        at: iso(outcomeAt),
        mustAct: actor ?? null,
        reasonCode: why ?? null,
        code: code ?? null,
      };

/** For operators only: its sentence may name any domain. */
export const toCertificateStatus = ({ serverId, appId, certificate, redeploy }: CertificateStatus) => ({
  serverId,
  appId,
  reason: certificate.outcome ?? null,
  at: iso(certificate.outcomeAt),
  mustAct: certificate.mustAct ?? null,
  reasonCode: certificate.reasonCode ?? null,
  code: certificate.code ?? null,
  redeploy: redeploy ? { id: redeploy.id, state: redeploy.state, nextRunAt: iso(redeploy.nextRunAt) } : null,
});

export const toRecord = (status: DomainDetails): DomainAnswer => ({
  ...toStatus(status),
  ...reasonOf(status.record, status.history),
  history: status.history.map(toHistoryEntry),
  budgets: [...status.budgets],
});

/**
 * A change of state that is newer than the last result has its own reason: a write that began, a
 * check.
 */
function reasonOf(record: DomainRecord, history: readonly Transition[]) {
  const { outcome, reasonCode: why, outcomeAt = 0, state: at, stateAt } = record;
  const [step] = history;
  const isNewer = step?.state === at && stateAt > outcomeAt;
  const { reason, reasonCode: code } = isNewer ? step : { reason: outcome, reasonCode: why };
  return { reason: reason ?? null, reasonCode: code ?? null };
}

const toHistoryEntry = ({
  at,
  state,
  mustAct: actor,
  reason,
  reasonCode: why,
  code,
  by,
  for: behalf,
}: Transition) => ({
  at: iso(at),
  state,
  mustAct: actor ?? null,
  reason,
  reasonCode: why ?? null,
  code: code ?? null,
  by: by ?? null,
  for: behalf ?? null,
});

/** Undefined: there is no such job (any more). */
export function toJob(job: JobStatus): z.output<typeof jobRecord> | undefined {
  if (job.state === 'gone') return undefined;
  const code = job.state === 'completed' ? undefined : codeOf(job.failedReason ?? '');
  return {
    id: job.id,
    state: job.state,
    attemptsMade: job.attemptsMade,
    failedReason: job.failedReason ?? null,
    code: code ?? null,
    fix: fixOf(code, job.state !== 'failed') ?? null,
    result: job.result ?? null,
    nextRunAt: iso(job.nextRunAt),
  };
}
