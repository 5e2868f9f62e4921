// Advanced SSL: each domain has a certificate of its own. Each order is independent, and a wrong name fails only its own.

import type { DomainEnd } from '../../certificates/domain-redeploys.ts';
import { nextDelay } from '../../domains/backoff.ts';
import { namesOf } from '../../domains/names.ts';
import { withoutOthers } from '../../domains/other-names.ts';
import { done, type Outcome } from '../../domains/outcome.ts';
import type { ReasonCode } from '../../domains/reasons.ts';
import { joined } from '../../domains/sentences.ts';
import { actorAfter, type CodedError, PermanentError, TransientError } from '../../errors.ts';
import { dnsCodeOf } from '../../https/gate.ts';
import { findings } from '../../https/messages.ts';
import { isWrong } from '../../probes/findings.ts';
import type { AppFacts } from '../../runcloud/facts.ts';
import type { AttachedDomain, CallOptions } from '../../runcloud/runcloud.ts';
import {
  about,
  domainAlreadyOrdered,
  domainCovered,
  domainOrdered,
  domainsOrdered,
  notAttached,
  nothingToOrder,
  othersWait,
} from './messages.ts';
import { type Ordered, order, type Way } from './order.ts';
import { switchChallenge } from './switch-challenge.ts';
import {
  attachedFor,
  isChanged,
  isCovered,
  later,
  type RedeployPorts,
  type RedeployWork,
  unordered,
} from './work.ts';

type Later = Extract<Ordered, { kind: 'later' }>;

export async function redeployAdvanced(
  work: RedeployWork,
  facts: AppFacts,
  ports: RedeployPorts,
): Promise<Outcome> {
  const { app, domains, startedAt, jobId } = work;
  const attached = await attachedFor(work, ports);
  const desired = domains ? attached.filter(({ name }) => domains.includes(name)) : attached;
  if (!domains)
    await ports.certificates.expandAll(
      app,
      desired.map(({ name }) => name),
    );
  const round: Round = { ordered: 0, notes: [], postponed: [], failures: [] };
  for (const domain of desired) {
    const result = await orderOne(domain, work, facts, ports).catch((error: unknown) =>
      failed(error, domain, work, ports),
    );
    if (isUnwritten(result)) return unordered(result.kind);
    enter(result, domain.name, round);
    await ports.certificates.endDomain(app, jobId, domain.name, startedAt, toEnd(result, domain, work));
  }
  const gone = [...work.requestedAt.keys()].filter(
    (name) => !attached.some((domain) => domain.name === name),
  );
  for (const name of gone) await ports.certificates.endDomain(app, jobId, name, startedAt, unattached);
  return conclude(round, work);
}

/** What came of each domain. */
interface Round {
  ordered: number;
  /** Why a domain needed no order. */
  readonly notes: { readonly sentence: string; readonly reasonCode: ReasonCode }[];
  readonly postponed: Later[];
  readonly failures: CodedError[];
}

type Unwritten = Extract<Ordered, { kind: 'superseded' | 'busy' }>;
type Result = Exclude<Ordered, Unwritten> | Nothing | Failed;

const isUnwritten = (result: Result | Unwritten): result is Unwritten =>
  result.kind === 'superseded' || result.kind === 'busy';

/** For operators: each sentence says whose it is. */
function enter(result: Result, domain: string, round: Round): void {
  if (result.kind === 'ordered') round.ordered += 1;
  if (result.kind === 'failed') round.failures.push(result.error);
  if (result.kind === 'later') round.postponed.push({ ...result, sentence: about(domain, result.sentence) });
  if (result.kind === 'nothing') round.notes.push(result);
  if (result.kind === 'repeated')
    round.notes.push({
      sentence: about(domain, domainAlreadyOrdered(result.orderedAt)),
      reasonCode: 'already-ordered',
    });
}

/** For the domain's own record: it names no other. */
function toEnd(result: Result, domain: AttachedDomain, { attempt, startedAt }: RedeployWork): DomainEnd {
  switch (result.kind) {
    case 'ordered':
      return { state: 'done', outcome: domainOrdered(startedAt), reasonCode: 'certificate-ordered' };
    case 'repeated': {
      const outcome = domainAlreadyOrdered(result.orderedAt);
      return { state: 'done', outcome, reasonCode: 'already-ordered' };
    }
    case 'nothing':
      return { state: 'done', outcome: result.sentence, reasonCode: result.reasonCode };
    case 'later': {
      const { forDomains: outcome, reasonCode, mustAct } = result;
      return { state: 'pending', outcome, reasonCode, mustAct };
    }
    case 'failed': {
      const { error } = result;
      const own = { outcome: withoutOthers(error.message, namesOf([domain])), code: error.code };
      if (error instanceof PermanentError) return { state: 'failed', ...own };
      return { state: 'pending', ...own, mustAct: actorAfter(error, attempt) };
    }
  }
}

const unattached: DomainEnd = { state: 'done', outcome: notAttached, reasonCode: 'not-attached' };

interface Failed {
  readonly kind: 'failed';
  readonly error: CodedError;
}

// A failure of one domain must not stop the domains behind it. A failure of all would only repeat itself.
function failed(
  error: unknown,
  domain: AttachedDomain,
  work: RedeployWork,
  ports: RedeployPorts,
): Failed | Later {
  const isOfOne = error instanceof PermanentError || (error instanceof TransientError && error.attemptSpent);
  if (!isOfOne || work.calls.signal?.aborted) throw error;
  const isRefusal = error instanceof TransientError && error.mustAct !== undefined;
  return isRefusal ? refused(error, domain, work, ports) : { kind: 'failed', error };
}

/** After so many first checks a rejection needs a person. */
const CHECKS_BEFORE_HELD = 6;

// RunCloud rejects something of this domain alone. It is tried again soon with what is read then, and ever more rarely later. The job
// spends no attempt of the others on it.
function refused(
  { message, code, mustAct }: TransientError,
  domain: AttachedDomain,
  { startedAt, requestedAt, newestRequestAt }: RedeployWork,
  { backoff }: RedeployPorts,
): Later {
  const waited = startedAt - (requestedAt.get(domain.name) ?? newestRequestAt);
  return {
    kind: 'later',
    sentence: message,
    forDomains: withoutOthers(message, namesOf([domain])),
    reasonCode: code,
    nextAt: startedAt + nextDelay(waited, backoff.tlsFirstMs, backoff.heldMs),
    mustAct: waited >= CHECKS_BEFORE_HELD * backoff.tlsFirstMs ? mustAct : undefined,
  };
}

// In this order: an attempt that may succeed soon, a wait, and only then what a person has to fix, since that ends the job. Each domain
// of the round knows what came of its own certificate. `othersWait` is for the other readers.
function conclude({ ordered, notes, postponed, failures }: Round, work: RedeployWork): Outcome {
  const passing = failures.find((error) => error instanceof TransientError);
  if (passing) throw passing;
  const sentences = [...failures.map(({ message }) => message), ...postponed.map(({ sentence }) => sentence)];
  const [soonest] = postponed.toSorted((a, b) => a.nextAt - b.nextAt);
  if (soonest) return later({ ...soonest, sentence: joined(sentences), forDomains: othersWait }, work);
  if (failures[0]) throw failures[0];
  const what = ordered > 0 ? domainsOrdered(ordered, work.startedAt) : nothingToOrder;
  const reasons = notes.map(({ sentence }) => sentence);
  return done(joined([...(ordered > 0 || notes.length === 0 ? [what] : []), ...reasons]), {
    reasonCode: ordered > 0 ? 'certificate-ordered' : (notes[0]?.reasonCode ?? 'nothing-to-order'),
  });
}

/** Nothing to order for this domain, and why. */
interface Nothing {
  readonly kind: 'nothing';
  readonly sentence: string;
  readonly reasonCode: ReasonCode;
}

async function orderOne(
  domain: AttachedDomain,
  work: RedeployWork,
  facts: AppFacts,
  ports: RedeployPorts,
): Promise<Ordered | Nothing> {
  const names = namesOf([domain]);
  const mayBeDone = facts.autoSsl || (!work.atOnce && work.domains !== undefined);
  if (mayBeDone && (await isCovered(names, work, ports)))
    return { kind: 'nothing', sentence: domainCovered(domain.name), reasonCode: 'certificate-shown' };
  const wrong = ports.preflight
    ? (await ports.preflight.probe.dns(work.app, names, work.calls)).filter(isWrong)
    : [];
  // Its own job waits for its DNS, and requests the redeploy again.
  if (wrong.length > 0) return { kind: 'nothing', sentence: findings(wrong), reasonCode: dnsCodeOf(wrong) };
  const last = await ports.ledger.last(work.app, domain.name);
  const findWay = () => howToOrder(domain, last?.failures ?? 0, facts, work, ports);
  const changed = isChanged([domain], work, last);
  const requestedAt = work.requestedAt.get(domain.name) ?? work.newestRequestAt;
  return order(
    { app: work.app, domain: domain.name, names, changed, last, requestedAt },
    findWay,
    work,
    ports,
  );
}

/** The write that orders it: install if there is none, redeploy otherwise. */
async function howToOrder(
  domain: AttachedDomain,
  failures: number,
  { autoSsl }: AppFacts,
  work: RedeployWork,
  ports: RedeployPorts,
): Promise<Way> {
  const { app, calls } = work;
  const { runcloud, settings } = ports;
  const found = await runcloud.getDomainCertificate(app, domain, calls);
  const install = (options: CallOptions) =>
    runcloud.installDomainCertificate(app, domain, { ...settings.installSettings, autoSsl }, options);
  if (!found) return { send: install, certificate: found };
  const certificate = await switchChallenge(domain, found, failures, work, ports);
  const send =
    settings.reissue === 'reinstall' && failures > 0
      ? async (options: CallOptions): Promise<void> => {
          await runcloud.removeDomainCertificate(app, domain, certificate, options);
          await install(options);
        }
      : (options: CallOptions) => runcloud.redeployDomainCertificate(app, domain, certificate, options);
  return { send, certificate };
}
