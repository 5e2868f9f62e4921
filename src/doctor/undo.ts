// Takes back what a trial of `doctor --try-domain` has left: at its end, after Ctrl-C, and by the next run where one was killed.
import { hasCode } from '../errors.ts';
import type { AttachedDomain, WebApplication } from '../runcloud/runcloud.ts';
import type { Left } from './journal.ts';
import type { TryPorts } from './try-domain.ts';

/** Something was written and could not be taken back; the journal stays. */
export class UndoFailure extends Error {}

/** A write whose answer was lost may take effect so much later, and a list may be behind for so long. */
const LATE_MS = 60_000;
const TEMPLATE = '/servers/{server}/webapps/{webapp}/domains/{domain}';

/** The journal goes when nothing of the trial is left at RunCloud. Throws UndoFailure. */
export async function undo(left: Left, ports: TryPorts): Promise<void> {
  try {
    // What was asked for since belongs to whoever asked.
    if (!left.isRefused && !(await ports.findRecord(left.name))) await takeBack(left, ports);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UndoFailure(
      `${left.name} may still be on web application ${left.appId}: ${why}; run the same command again, ${ports.journal.file} says what to take back`,
    );
  } finally {
    if (left.pausedAt !== undefined) await letGoOn(left, left.pausedAt, ports);
  }
  ports.journal.remove();
}

async function letGoOn({ serverId, appId }: Left, pausedAt: number, ports: TryPorts): Promise<void> {
  const isOurs = await ports.resume({ serverId, appId }, pausedAt);
  ports.say(
    isOurs
      ? `web application ${appId} goes on`
      : `the pause of this trial was over already; \`pauses\` lists those that there are`,
  );
}

/** Once, and again where a write may come late or a list may be behind. */
const LOOKS = 3;

async function takeBack(left: Left, ports: TryPorts): Promise<void> {
  for (let look = 1; look <= LOOKS; look += 1) {
    const isGone = await removeOurs(left, ports);
    if (isGone && (look > 1 || !left.isUnsure)) return;
    if (look === LOOKS) break;
    const why = isGone ? 'an answer was lost, and a write may come late' : 'RunCloud still lists it';
    ports.onStep(`${why}; looking once more in ${LATE_MS / 1000} s`);
    await ports.wait(LATE_MS);
  }
  throw new Error('RunCloud still lists it');
}

/** Removes what is ours, by its id: a list that is behind need not show it. True where the list shows it no more. */
async function removeOurs(left: Left, ports: TryPorts): Promise<boolean> {
  const id = (await find(left, ports))?.id ?? (left.isRemoved ? undefined : left.domainId);
  if (id === undefined) return true;
  const domain = { id, name: left.name, type: undefined, www: undefined, redirection: undefined };
  ports.onStep(`DELETE ${TEMPLATE}, to take ${left.name} back`);
  if (left.hasCertificate) await removeCertificate(left, domain, ports);
  await ports.runcloud.detachDomain(left, domain).catch((error: unknown) => {
    // Gone already: the list tells.
    if (!hasCode(error, 'runcloud-not-found', 'runcloud-rejected')) throw error;
  });
  return (await find(left, ports)) === undefined;
}

/** The row that is ours: another one of the same name has another id. */
async function find(left: Left, { runcloud }: TryPorts): Promise<AttachedDomain | undefined> {
  const row = (await runcloud.listDomains(left)).find(({ name }) => name === left.name);
  return left.domainId === undefined || row?.id === left.domainId ? row : undefined;
}

/** Of the trial's own install only: in basic mode the domain's row names the certificate of all. One of staging that stays harms nobody. */
async function removeCertificate(
  app: WebApplication,
  domain: AttachedDomain,
  { runcloud }: TryPorts,
): Promise<void> {
  try {
    const certificate = await runcloud.getDomainCertificate(app, domain);
    if (certificate) await runcloud.removeDomainCertificate(app, domain, certificate);
  } catch {
    // The domain itself goes in any case.
  }
}
