// Basic SSL: one certificate for all domains of the web application, so one order covers every change, and one bad name fails it.

import { areCleared, findDoubts } from '../../certificates/failing-names.ts';
import { namesOf } from '../../domains/names.ts';
import { done, type Outcome, waiting } from '../../domains/outcome.ts';
import { counted } from '../../domains/sentences.ts';
import { toMinute } from '../../domains/times.ts';
import { PermanentError } from '../../errors.ts';
import { sidelineNewest } from '../../https/sidelined.ts';
import type { DnsFinding } from '../../probes/findings.ts';
import type { AppFacts } from '../../runcloud/facts.ts';
import type { AttachedDomain, CallOptions } from '../../runcloud/runcloud.ts';
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
  const asked = domains ? attached.filter(({ name }) => domains.includes(name)) : attached;
  const needed = namesOf(asked);
  if (mayBeDone(work, facts, asked.length) && (await isCovered(needed, work, ports)))
    return coveredAlready(needed);
  const { startedAt, newestRequestAt } = work;
  const waitedMs = Math.max(0, startedAt - newestRequestAt);
  const guarded =
    ports.preflight &&
    (await checkBeforeOrder(attached, { app, calls, startedAt, waitedMs }, ports.preflight));
  return guarded?.wait ?? orderShared(attached, guarded?.dns ?? [], work, ports);
}

// What nobody attached or a person demands is ordered; AutoSSL, a lost reply or a wildcard may have covered the rest already.
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
    const report = { state: 'held', mustAct: 'operator' } as const;
    return waiting(describeFull(app.appId, names.length), ports.backoff.dnsLongestMs, report);
  }
  const last = await ports.ledger.last(app);
  const room = ports.preflight && (await sidelineNewest(attached, last, work, ports.preflight));
  if (room) return room;
  if (last?.hasFailed && areCleared(last.failingNames, dns))
    await ports.ledger.cleared({ app }, last.orderedAt);
  const changed = isChanged(attached, work, last);
  // Without handshakes nobody would ever know that all went well.
  const doubts = ports.probe?.provesHttps ? findDoubts(dns) : [];
  const desired = { app, names, doubts, changed, last, requestedAt: work.newestRequestAt };
  const findWay = () => howToOrder(last?.failures ?? 0, work, ports);
  return describe(await order(desired, findWay, work, ports), names.length, work);
}

/** Let's Encrypt's limit for one certificate (letsencrypt.org/docs/rate-limits). */
const MAX_NAMES = 100;
/** From here on the result warns of it. */
const MANY_NAMES = 80;

const describeFull = (appId: number, count: number): string =>
  `the shared certificate of web application ${appId} would hold ${count} names, and Let's Encrypt takes ${MAX_NAMES}: ${wayOut}`;

const wayOut = 'switch to advanced SSL, or put further domains on a second web application';

/** The write that orders it: install, redeploy, or (SSL_REISSUE, after a redeploy that changed nothing) both anew. */
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
    const sentence = `web application ${app.appId} has no certificate to redeploy; install one in RunCloud first, or set SSL_INSTALL=letsencrypt`;
    throw new PermanentError('no-certificate', sentence);
  }
  const reinstall = async (options: CallOptions): Promise<void> => {
    // Whatever becomes of the two calls: who finds no certificate afterwards knows why.
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
      const asked = domains ? `, after changes to ${counted(domains.length)}` : '';
      const full = count >= MANY_NAMES ? ` (${count} names of ${MAX_NAMES} that fit: ${wayOut})` : '';
      const at = toMinute(work.startedAt);
      return done(`the certificate of web application ${app.appId} was ordered at ${at}${asked}${full}`);
    }
    case 'repeated':
      return done(
        `the same ${counted(count)} were ordered at ${toMinute(ordered.orderedAt)} already; nothing was ordered`,
      );
    case 'later':
      return later(ordered, work);
    default:
      return unordered(ordered.kind);
  }
}
