// Basic SSL: one certificate for all domains of the web application. One order covers every change, and one wrong name fails it.

import { areCleared, findDoubts } from '../../certificates/failing-names.ts';
import { namesOf } from '../../domains/names.ts';
import { done, type Outcome, waiting } from '../../domains/outcome.ts';
import { PermanentError } from '../../errors.ts';
import { sidelineNewest } from '../../https/sidelined.ts';
import type { DnsFinding } from '../../probes/findings.ts';
import type { AppFacts } from '../../runcloud/facts.ts';
import type { AttachedDomain, CallOptions } from '../../runcloud/runcloud.ts';
import { alreadyOrdered, noCertificate, sharedFull, sharedOrdered } from './messages.ts';
import { type Ordered, order, type Way } from './order.ts';
import { checkBeforeOrder } from './preflight.ts';
import {
  attachedFor,
  coveredAlready,
  isChanged,
  isCovered,
  later,
  type RedeployPorts,
  type RedeployWork,
  unordered,
} from './work.ts';

export async function redeployBasic(
  work: RedeployWork,
  facts: AppFacts,
  ports: RedeployPorts,
): Promise<Outcome> {
  const { app, calls, domains } = work;
  const attached = await attachedFor(work, ports);
  const requested = domains ? attached.filter(({ name }) => domains.includes(name)) : attached;
  const needed = namesOf(requested);
  if (mayBeDone(work, facts, requested.length) && (await isCovered(needed, work, ports)))
    return coveredAlready(needed);
  const { startedAt, newestRequestAt } = work;
  const waitedMs = Math.max(0, startedAt - newestRequestAt);
  const checked =
    ports.preflight &&
    (await checkBeforeOrder(attached, { app, calls, startedAt, waitedMs }, ports.preflight));
  return checked?.wait ?? orderShared(attached, checked?.dns ?? [], work, ports);
}

// A redeploy for all, or by a person, orders in any case. AutoSSL, a lost reply or a wildcard may have covered the rest already.
const mayBeDone = ({ domains, atOnce }: RedeployWork, { autoSsl }: AppFacts, found: number): boolean =>
  autoSsl || (!atOnce && domains !== undefined && found === domains.length);

async function orderShared(
  attached: readonly AttachedDomain[],
  dns: readonly DnsFinding[],
  work: RedeployWork,
  ports: RedeployPorts,
): Promise<Outcome> {
  const { app } = work;
  const names = namesOf(attached);
  if (ports.preflight && names.length > MAX_NAMES) {
    const report = { state: 'held', reasonCode: 'certificate-full', mustAct: 'operator' } as const;
    return waiting(sharedFull(app.appId, names.length, MAX_NAMES), ports.backoff.dnsLongestMs, report);
  }
  const last = await ports.ledger.last(app);
  const leaving = ports.preflight && (await sidelineNewest(attached, last, work, ports.preflight));
  if (leaving) return leaving;
  if (last?.hasFailed && areCleared(last.failingNames, dns))
    await ports.ledger.cleared({ app }, last.orderedAt);
  const changed = isChanged(attached, work, last);
  // Without handshakes nobody would ever know that the order succeeded.
  const doubts = ports.probe?.provesHttps ? findDoubts(dns) : [];
  const desired = { app, names, doubts, changed, last, requestedAt: work.newestRequestAt };
  const findWay = () => howToOrder(last?.failures ?? 0, work, ports);
  return describe(await order(desired, findWay, work, ports), names.length, work);
}

/** Let's Encrypt's limit for one certificate (letsencrypt.org/docs/rate-limits). */
const MAX_NAMES = 100;
/** From here on the result warns of it. */
const MANY_NAMES = 80;

/** The write that orders it: install, redeploy, or (SSL_REISSUE, after a redeploy that changed nothing) remove and install. */
async function howToOrder(failures: number, work: RedeployWork, ports: RedeployPorts): Promise<Way> {
  const { app, calls } = work;
  const { runcloud, certificates, settings } = ports;
  const certificate = await runcloud.getCertificate(app, calls);
  const isReinstalling = (await certificates.get(app))?.isReinstalling ?? false;
  if (certificate && isReinstalling) await certificates.noteReinstalling(app, false);
  const install = async (options: CallOptions): Promise<void> => {
    await runcloud.installCertificate(app, settings.installSettings, options);
    await certificates.noteReinstalling(app, false);
  };
  if (!certificate) {
    if (settings.install === 'letsencrypt' || isReinstalling) return { send: install, certificate };
    throw new PermanentError('no-certificate', noCertificate(app.appId));
  }
  const reinstall = async (options: CallOptions): Promise<void> => {
    // If one of the two calls fails, the next run knows why there is no certificate.
    await certificates.noteReinstalling(app, true);
    await runcloud.removeCertificate(app, certificate, options);
    await install(options);
  };
  const redeploy = (options: CallOptions) => runcloud.redeployCertificate(app, certificate, options);
  const isReinstall = settings.reissue === 'reinstall' && failures > 0;
  return { send: isReinstall ? reinstall : redeploy, certificate };
}

function describe(ordered: Ordered, count: number, work: RedeployWork): Outcome {
  const { app, domains } = work;
  switch (ordered.kind) {
    case 'ordered': {
      const changed = domains?.length;
      const names = count >= MANY_NAMES ? count : undefined;
      const facts = { appId: app.appId, at: work.startedAt, changed, names, maxNames: MAX_NAMES };
      return done(sharedOrdered(facts), { reasonCode: 'certificate-ordered' });
    }
    case 'repeated':
      return done(alreadyOrdered(count, ordered.orderedAt), { reasonCode: 'already-ordered' });
    case 'later':
      return later(ordered, work);
    default:
      return unordered(ordered.kind);
  }
}
