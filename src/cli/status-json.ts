// status --json: the same for programs. Its fields are API.
import type { Evidence, Transition } from '../intent/intent.ts';
import type { DomainDetails, DomainStatus } from '../queue/operator.ts';
import { nextLookOf } from './status-domain.ts';

/**
 * One domain; times are ISO 8601, what is not known is null.
 *
 * - `state`: its stage (`requested`, `waiting-for-dns`, …, `live`, `held`), `since` when, and who must act (`mustAct`: `customer`,
 *   `operator`, `runcloud`, `letsencrypt`); `outcome` is the reason in words, `code` its error code.
 * - `request`: whether the newest request is `pending` (a job is on its way), `settled` or `failed` (no retry by itself).
 * - `nextLookAt`: when its job looks again; null where no time is set. `evidence`: what the last look saw of DNS and TLS.
 * - `job`, `redeploy`: the jobs that carry the request and the certificate's redeploy; `certificate`: how the last redeploy went.
 */
export const toJson = (status: DomainStatus): object => {
  const { intent, job, certificate, redeploy } = status;
  return {
    domain: intent.domain,
    serverId: intent.serverId,
    appId: intent.appId,
    siteId: intent.siteId ?? null,
    wanted: intent.wish,
    state: intent.stage,
    since: iso(intent.stageAt),
    mustAct: intent.mustAct ?? null,
    nextLookAt: iso(nextLookOf(status)),
    request: intent.state,
    requestedAt: iso(intent.requestedAt),
    requestedBy: intent.requestedBy ?? null,
    outcome: intent.outcome ?? null,
    code: intent.code ?? null,
    outcomeAt: iso(intent.outcomeAt),
    evidence: intent.evidence ? toEvidence(intent.evidence) : null,
    job: { id: job.id, state: job.state, attemptsMade: job.attemptsMade, nextRunAt: iso(job.nextRunAt) },
    certificate: certificate
      ? { outcome: certificate.outcome ?? null, outcomeAt: iso(certificate.outcomeAt) }
      : null,
    redeploy: redeploy
      ? { id: redeploy.id, state: redeploy.state, nextRunAt: iso(redeploy.nextRunAt) }
      : null,
  };
};

/** With `history`, the newest first, and `budgets`: what Let's Encrypt still allows for its names. */
export const toDetailedJson = (status: DomainDetails): object => ({
  ...toJson(status),
  history: status.history.map(toStep),
  budgets: status.budgets,
});

const toStep = ({ at, stage, mustAct, reason, code }: Transition): object => ({
  at: iso(at),
  state: stage,
  mustAct: mustAct ?? null,
  reason,
  code: code ?? null,
});

const toEvidence = ({ at, dns, tls }: Evidence): object => ({
  at: iso(at),
  dns,
  tls: tls.map(({ certificate, ...finding }) => ({
    ...finding,
    certificate: certificate
      ? { ...certificate, notBefore: iso(certificate.notBefore), notAfter: iso(certificate.notAfter) }
      : null,
  })),
});

/** A server may show a certificate with any time in it. */
const iso = (atMs: number | undefined): string | null =>
  atMs === undefined || Number.isNaN(new Date(atMs).getTime()) ? null : new Date(atMs).toISOString();
