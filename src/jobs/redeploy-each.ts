// Advanced SSL: each domain has a certificate of its own, so each order stands for itself, and a bad name hurts only itself.
import { isBad } from '../intent/gate.ts';
import { namesOf } from '../intent/names.ts';
import { toMinute } from '../intent/times.ts';
import { done, type Outcome } from '../outcome.ts';
import type { AppFacts } from '../runcloud/facts.ts';
import type { AttachedDomain, CallOptions } from '../runcloud/runcloud.ts';
import { type Ordered, order } from './certificate-order.ts';
import {
  attachedFor,
  counted,
  isChanged,
  isCovered,
  later,
  type RedeployPorts,
  type RedeployWork,
  unordered,
} from './redeploy-work.ts';

type Later = Extract<Ordered, { kind: 'later' }>;

export async function redeployEach(
  work: RedeployWork,
  facts: AppFacts,
  ports: RedeployPorts,
): Promise<Outcome> {
  const { app, domains, startedAt } = work;
  const attached = await attachedFor(work, ports);
  const wanted = domains ? attached.filter(({ name }) => domains.includes(name)) : attached;
  if (!domains)
    await ports.certificates.spread(
      app,
      wanted.map(({ name }) => name),
    );
  const postponed: Later[] = [];
  const notes: string[] = [];
  let ordered = 0;
  for (const domain of wanted) {
    const result = await orderOne(domain, work, facts, ports);
    if (result.kind === 'superseded' || result.kind === 'busy') return unordered(result.kind);
    if (result.kind === 'later') postponed.push(result);
    else await ports.certificates.covered(app, domain.name, startedAt);
    if (result.kind === 'ordered') ordered += 1;
    if (result.kind === 'nothing') notes.push(result.sentence);
    if (result.kind === 'repeated')
      notes.push(`${domain.name} was ordered at ${toMinute(result.orderedAt)} already`);
  }
  return conclude(ordered, notes, postponed, work);
}

function conclude(
  ordered: number,
  notes: readonly string[],
  postponed: readonly Later[],
  work: RedeployWork,
): Outcome {
  const [soonest] = postponed.toSorted((a, b) => a.nextAt - b.nextAt);
  if (soonest)
    return later({ ...soonest, sentence: postponed.map(({ sentence }) => sentence).join('; ') }, work);
  const what = `the certificates of ${counted(ordered)} are being redeployed`;
  return done([...(ordered > 0 || notes.length === 0 ? [what] : []), ...notes].join('; '));
}

/** Nothing to order for this domain, and why. */
interface Nothing {
  readonly kind: 'nothing';
  readonly sentence: string;
}

async function orderOne(
  domain: AttachedDomain,
  work: RedeployWork,
  facts: AppFacts,
  ports: RedeployPorts,
): Promise<Ordered | Nothing> {
  const names = namesOf([domain]);
  const mayBeDone = facts.autoSsl || work.again || (!work.atOnce && work.domains !== undefined);
  if (mayBeDone && (await isCovered(names, work, ports)))
    return { kind: 'nothing', sentence: `a handshake shows that ${domain.name} is covered already` };
  const bad = ports.guard ? (await ports.guard.look.dns(work.app, names, work.calls)).filter(isBad) : [];
  // Its own job waits for its DNS, and asks again.
  if (bad.length > 0) return { kind: 'nothing', sentence: bad.map(({ sentence }) => sentence).join('; ') };
  const last = await ports.ledger.last(work.app, domain.name);
  const { send, isMissing } = await howToOrder(domain, last?.failures ?? 0, facts, work, ports);
  const wanted = { app: work.app, domain: domain.name, names };
  const changed = isMissing || last === undefined || isChanged(work, last);
  return order(wanted, changed, send, work, ports);
}

/** The write that orders it: install where there is none, redeploy otherwise. */
async function howToOrder(
  domain: AttachedDomain,
  failures: number,
  { autoSsl }: AppFacts,
  { app, calls }: RedeployWork,
  { runcloud, settings }: RedeployPorts,
): Promise<{ send: (options: CallOptions) => Promise<void>; isMissing: boolean }> {
  const certificate = await runcloud.getDomainCertificate(app, domain, calls);
  const install = (options: CallOptions) =>
    runcloud.installDomainCertificate(app, domain, { ...settings.installSettings, autoSsl }, options);
  if (!certificate) return { send: install, isMissing: true };
  const send =
    settings.reissue === 'reinstall' && failures > 0
      ? async (options: CallOptions): Promise<void> => {
          await runcloud.removeDomainCertificate(app, domain, certificate, options);
          await install(options);
        }
      : (options: CallOptions) => runcloud.redeployDomainCertificate(app, domain, certificate, options);
  return { send, isMissing: false };
}
