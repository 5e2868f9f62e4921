// How domains and jobs look from outside: the schemas of the answers, and what makes them of our records. Times are ISO 8601, what
// is not known is null. (`status --json` shows the record as it is kept; these fields are the API's promise, docs/http-api.md.)
import { z } from 'zod';
import type { Evidence, Intent, Transition } from '../../intent/intent.ts';
import { stages } from '../../outcome.ts';
import type { DomainDetails, JobStatus } from '../../queue/operator.ts';

const time = z.iso.datetime().nullable();
const text = z.string().nullable();

export const stage = z.enum(stages).meta({ description: 'Where the domain stands in its life' });

const mustAct = z
  .enum(['customer', 'operator', 'runcloud', 'letsencrypt'])
  .nullable()
  .meta({ description: 'Who must act; null: nobody, it goes on by itself' });

const wanted = z.union([
  z.object({
    want: z.literal('present'),
    www: z.boolean(),
    redirection: z.enum(['none', 'www', 'non-www']),
  }),
  z.object({ want: z.literal('absent') }),
]);

const summaryFields = {
  domain: z.string(),
  serverId: z.int(),
  appId: z.int(),
  siteId: text,
  wanted,
  state: stage,
  since: time,
  reason: text.meta({ description: 'Why it stands there, in a sentence for a person' }),
  code: text.meta({ description: 'The error code, where something is wrong' }),
  mustAct,
  request: z
    .enum(['pending', 'settled', 'failed'])
    .meta({ description: '`pending`: a job is on its way; `failed`: nothing is tried again by itself' }),
  jobId: z.string(),
  requestedAt: time,
  requestedBy: text,
  nextLookAt: time,
};

export const domainSummary = z.object(summaryFields).meta({ description: 'One domain in a list' });

const dnsFinding = z.object({
  name: z.string(),
  verdict: z.string(),
  sentence: z.string(),
  expected: z.array(z.string()),
  seen: z.object({
    a: z.array(z.string()),
    aaaa: z.array(z.string()),
    cname: z.array(z.string()),
    caa: z.array(z.string()),
  }),
});

const tlsFinding = z.object({
  name: z.string(),
  verdict: z.string(),
  sentence: z.string(),
  address: z.string(),
  httpStatus: z.int().optional(),
  certificate: z
    .object({
      subject: z.string(),
      issuer: z.string(),
      names: z.array(z.string()),
      notBefore: time,
      notAfter: time,
    })
    .nullable(),
});

export const domainRecord = z
  .object({
    ...summaryFields,
    evidence: z
      .object({ at: time, dns: z.array(dnsFinding), tls: z.array(tlsFinding) })
      .nullable()
      .meta({ description: 'What the last look at DNS and at the server saw' }),
    job: z.object({ id: z.string(), state: z.string(), attemptsMade: z.int(), nextRunAt: time }),
    certificate: z.object({ outcome: text, outcomeAt: time }).nullable(),
    redeploy: z.object({ id: z.string(), state: z.string(), nextRunAt: time }).nullable(),
    history: z
      .array(z.object({ at: time, state: z.string(), mustAct: text, reason: z.string(), code: text }))
      .meta({ description: 'Its last 50 changes of state, the newest first' }),
    budgets: z
      .array(z.object({ limit: z.string(), subject: z.string(), left: z.number(), of: z.number() }))
      .meta({ description: "What Let's Encrypt still allows for its names" }),
  })
  .meta({ description: 'How one domain stands, why, and what comes next' });

export const jobRecord = z
  .object({
    id: z.string(),
    state: z.enum(['waiting', 'active', 'delayed', 'failed', 'completed']),
    attemptsMade: z.int(),
    failedReason: text,
    result: text,
    nextRunAt: time,
  })
  .meta({ description: 'One job as the queue holds it' });

/** A server may show a certificate with any time in it. */
export const iso = (atMs: number | undefined): string | null =>
  atMs === undefined || Number.isNaN(new Date(atMs).getTime()) ? null : new Date(atMs).toISOString();

export const toSummary = (intent: Intent): z.output<typeof domainSummary> => ({
  domain: intent.domain,
  serverId: intent.serverId,
  appId: intent.appId,
  siteId: intent.siteId ?? null,
  wanted: intent.wish,
  state: intent.stage,
  since: iso(intent.stageAt),
  reason: intent.outcome ?? null,
  code: intent.code ?? null,
  mustAct: intent.mustAct ?? null,
  request: intent.state,
  jobId: intent.jobId,
  requestedAt: iso(intent.requestedAt),
  requestedBy: intent.requestedBy ?? null,
  nextLookAt: intent.state === 'pending' ? iso(intent.nextRunAt) : null,
});

export function toRecord(status: DomainDetails): z.output<typeof domainRecord> {
  const { intent, job, certificate, redeploy, history, budgets } = status;
  return {
    ...toSummary(intent),
    reason: reasonOf(intent, history),
    nextLookAt: job.state === 'delayed' ? iso(job.nextRunAt ?? intent.nextRunAt) : null,
    evidence: intent.evidence ? toEvidence(intent.evidence) : null,
    job: { id: job.id, state: job.state, attemptsMade: job.attemptsMade, nextRunAt: iso(job.nextRunAt) },
    certificate: certificate
      ? { outcome: certificate.outcome ?? null, outcomeAt: iso(certificate.outcomeAt) }
      : null,
    redeploy: redeploy
      ? { id: redeploy.id, state: redeploy.state, nextRunAt: iso(redeploy.nextRunAt) }
      : null,
    history: history.map(toStep),
    budgets: [...budgets],
  };
}

/** A step that is newer than the last outcome has its own reason: a write that has begun, what the watch saw. */
function reasonOf({ outcome, outcomeAt = 0, stage: at, stageAt }: Intent, history: readonly Transition[]) {
  const [step] = history;
  const isNewer = step?.stage === at && stageAt > outcomeAt;
  return (isNewer ? step.reason : outcome) ?? null;
}

const toStep = ({ at, stage: state, mustAct: actor, reason, code }: Transition) => ({
  at: iso(at),
  state,
  mustAct: actor ?? null,
  reason,
  code: code ?? null,
});

const toEvidence = ({ at, dns, tls }: Evidence): z.output<typeof domainRecord>['evidence'] => ({
  at: iso(at),
  dns: dns.map(({ name, verdict, sentence, expected, seen }) => ({
    name,
    verdict,
    sentence,
    expected: [...expected],
    seen: { a: [...seen.a], aaaa: [...seen.aaaa], cname: [...seen.cname], caa: [...seen.caa] },
  })),
  tls: tls.map(({ name, verdict, sentence, address, httpStatus, certificate }) => ({
    name,
    verdict,
    sentence,
    address,
    ...(httpStatus !== undefined && { httpStatus }),
    certificate: certificate
      ? {
          subject: certificate.subject,
          issuer: certificate.issuer,
          names: [...certificate.names],
          notBefore: iso(certificate.notBefore),
          notAfter: iso(certificate.notAfter),
        }
      : null,
  })),
});

/** Undefined where there is no such job (any more). */
export function toJob(job: JobStatus): z.output<typeof jobRecord> | undefined {
  if (job.state === 'gone') return undefined;
  return {
    id: job.id,
    state: job.state,
    attemptsMade: job.attemptsMade,
    failedReason: job.failedReason ?? null,
    result: job.result ?? null,
    nextRunAt: iso(job.nextRunAt),
  };
}
