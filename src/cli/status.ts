// status, failed, retry: how things stand, and trying again.
import type { ProducerApp } from '../app.ts';
import { codes } from '../errors.ts';
import { parseDomainName } from '../intent/domain-name.ts';
import type { DomainStatus, FailedJob, RetryResult } from '../queue/operator.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative, toTable } from './terminal.ts';
import { describeJob } from './wait.ts';

type App = Pick<ProducerApp, 'operator'>;

interface Flags {
  readonly json?: boolean | undefined;
}

const SHOWN_DOMAINS = 50;

export async function showQueue({ operator }: App, { json }: Flags, terminal: Terminal): Promise<ExitCode> {
  const [counts, held, domains] = await Promise.all([
    operator.counts(),
    operator.hold(),
    operator.domains(SHOWN_DOMAINS),
  ]);
  if (json) {
    terminal.out(JSON.stringify({ counts, held: held ?? null, domains: domains.map(toJson) }, null, 2));
    return exitCodes.ok;
  }
  const { waiting, active, delayed, failed, completed } = counts;
  terminal.out(
    `jobs: ${waiting} waiting, ${active} at work, ${delayed} delayed, ${failed} failed, ${completed} completed`,
  );
  if (held) terminal.out(`held: ${held.sentence}`);
  if (domains.length === 0) {
    terminal.out('no domain was asked for yet; try `add shop.example.org`');
    return exitCodes.ok;
  }
  const rows = domains.map((status) => toRow(status, Date.now()));
  for (const line of toTable([['DOMAIN', 'WANTED', 'STATE', 'LAST OUTCOME', 'NEXT'], ...rows]))
    terminal.out(line);
  for (const line of describeCertificates(domains, Date.now())) terminal.out(line);
  if (domains.length === SHOWN_DOMAINS) terminal.out(`(the ${SHOWN_DOMAINS} asked for most recently)`);
  return exitCodes.ok;
}

export async function showDomain(
  name: string,
  { operator }: App,
  { json }: Flags,
  terminal: Terminal,
): Promise<ExitCode> {
  const domain = parseDomainName(name);
  const status = await operator.domain(domain, {});
  if (!status) {
    terminal.err(`${domain} was never asked for here; \`status\` without a domain lists what was`);
    return exitCodes.failed;
  }
  if (json) terminal.out(JSON.stringify(toJson(status), null, 2));
  else for (const line of describeDomain(status, Date.now())) terminal.out(line);
  return exitCodes.ok;
}

/** One line per web application. */
function describeCertificates(statuses: readonly DomainStatus[], nowMs: number): string[] {
  const byApp = new Map(statuses.map((status) => [status.intent.appId, status]));
  return [...byApp].flatMap(([appId, { certificate, redeploy }]) => {
    const { outcome, outcomeAt } = certificate ?? {};
    const last = outcome && outcomeAt ? [`${outcome} (${toRelative(outcomeAt, nowMs)})`] : [];
    const ahead = redeploy && redeploy.state !== 'gone' ? [`redeploy: ${describeJob(redeploy, nowMs)}`] : [];
    const parts = [...last, ...ahead];
    return parts.length > 0 ? [`certificate of web application ${appId}: ${parts.join('; ')}`] : [];
  });
}

const wanted = ({ intent: { wish } }: DomainStatus): string => {
  if (wish.want === 'absent') return 'removed';
  return wish.www ? 'attached, with www' : 'attached';
};

const next = ({ job }: DomainStatus, nowMs: number): string =>
  job.state === 'gone' || job.state === 'completed' || job.state === 'failed' ? '' : describeJob(job, nowMs);

const toRow = (status: DomainStatus, nowMs: number): string[] => [
  status.intent.domain,
  wanted(status),
  status.intent.state,
  status.intent.outcome ?? '',
  next(status, nowMs),
];

/** Sentences that a support agent can read out. */
export function describeDomain(status: DomainStatus, nowMs: number): string[] {
  const { intent, certificate, redeploy } = status;
  const { domain, requestedAt, requestedBy, appId, outcome, outcomeAt, state, code } = intent;
  const lines = [
    `${domain} shall be ${wanted(status)} (web application ${appId}); asked for ${toRelative(requestedAt, nowMs)}${requestedBy ? ` by ${requestedBy}` : ''}.`,
  ];
  if (outcome && outcomeAt) lines.push(`${state}: ${outcome} (${toRelative(outcomeAt, nowMs)}).`);
  else lines.push(`${state}.`);
  const fix = code && code in codes ? codes[code as keyof typeof codes].fix : undefined;
  if (fix) lines.push(`What to do: ${fix}`);
  if (next(status, nowMs)) lines.push(`Its job ${status.job.id}: ${describeJob(status.job, nowMs)}.`);
  if (certificate?.outcome && certificate.outcomeAt)
    lines.push(`Certificate: ${certificate.outcome} (${toRelative(certificate.outcomeAt, nowMs)}).`);
  if (redeploy && redeploy.state !== 'gone')
    lines.push(`Certificate redeploy: ${describeJob(redeploy, nowMs)}.`);
  return lines;
}

const iso = (atMs: number | undefined): string | null =>
  atMs === undefined ? null : new Date(atMs).toISOString();

const toJson = ({ intent, job, certificate, redeploy }: DomainStatus): object => ({
  domain: intent.domain,
  serverId: intent.serverId,
  appId: intent.appId,
  siteId: intent.siteId ?? null,
  wanted: intent.wish,
  state: intent.state,
  requestedAt: iso(intent.requestedAt),
  requestedBy: intent.requestedBy ?? null,
  outcome: intent.outcome ?? null,
  code: intent.code ?? null,
  outcomeAt: iso(intent.outcomeAt),
  job: { id: job.id, state: job.state, attemptsMade: job.attemptsMade, nextRunAt: iso(job.nextRunAt) },
  certificate: certificate
    ? { outcome: certificate.outcome ?? null, outcomeAt: iso(certificate.outcomeAt) }
    : null,
  redeploy: redeploy ? { id: redeploy.id, state: redeploy.state, nextRunAt: iso(redeploy.nextRunAt) } : null,
});

const SHOWN_FAILED = 100;

export async function showFailed({ operator }: App, { json }: Flags, terminal: Terminal): Promise<ExitCode> {
  const jobs = await operator.failed(SHOWN_FAILED);
  if (json)
    terminal.out(
      JSON.stringify(
        jobs.map((job) => ({ ...job, failedAt: iso(job.failedAt) })),
        null,
        2,
      ),
    );
  else if (jobs.length === 0) terminal.out('no job has failed');
  else
    for (const line of toTable([['JOB', 'NAME', 'FAILED', 'REASON'], ...jobs.map(toFailedRow)]))
      terminal.out(line);
  return exitCodes.ok;
}

const toFailedRow = ({ id, name, reason, failedAt }: FailedJob): string[] => [
  id,
  name,
  failedAt === undefined ? '' : toRelative(failedAt, Date.now()),
  reason,
];

const MAX_RETRIED = 10_000;

export async function retry(
  ids: readonly string[],
  flags: { all?: boolean | undefined },
  { operator }: App,
  terminal: Terminal,
): Promise<ExitCode> {
  if (flags.all && ids.length > 0) {
    terminal.err('name jobs or say --all, not both');
    return exitCodes.usage;
  }
  const wanted = flags.all ? (await operator.failed(MAX_RETRIED)).map(({ id }) => id) : ids;
  if (wanted.length === 0) {
    terminal.err(flags.all ? 'no job has failed' : 'name the jobs to retry, or --all; `failed` lists them');
    return flags.all ? exitCodes.ok : exitCodes.usage;
  }
  let code: ExitCode = exitCodes.ok;
  for (const id of wanted) {
    const result = await operator.retry(id);
    sayRetry(result, terminal);
    if (result.kind === 'refused') code = exitCodes.failed;
  }
  return code;
}

function sayRetry(result: RetryResult, terminal: Terminal): void {
  if (result.kind === 'retried') terminal.out(`${result.id}: on its way again, job ${result.jobId}`);
  else terminal.err(`${result.id}: ${result.kind}: ${result.sentence}`);
}
