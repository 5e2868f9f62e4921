// The guard of a shared certificate: one name that cannot be validated would fail the order for all of them, so each is looked
// at before. SSL_POISON says what to do about a bad one; only what we attached ourselves is ever detached.
import { underFence } from '../intent/fence.ts';
import { isBad } from '../intent/gate.ts';
import type { DomainKey, Intent } from '../intent/intent.ts';
import { namesOf } from '../intent/names.ts';
import { growing, type Pace } from '../intent/pace.ts';
import type { IntentStore } from '../intent/store.ts';
import { type Outcome, waiting } from '../outcome.ts';
import type { DnsFinding } from '../probes/findings.ts';
import type { Directory } from '../runcloud/directory.ts';
import type { AttachedDomain, CallOptions, RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import type { Look } from './look.ts';

export interface PoisonPorts {
  readonly runcloud: Pick<RunCloud, 'detachDomain'>;
  readonly directory: Pick<Directory, 'note'>;
  readonly intents: Pick<IntentStore, 'get' | 'noteSeen' | 'beginWrite' | 'renewWrite' | 'endWrite'>;
  readonly look: Pick<Look, 'dns'>;
  /** Asks for the domain again, so that it comes back when its DNS does. */
  readonly renew: (intent: Intent) => Promise<unknown>;
  readonly poison: 'hold' | 'detach' | 'proceed';
  readonly pace: Pace;
}

export interface PoisonWork {
  readonly app: WebApplication;
  readonly calls: CallOptions;
  /** How long the redeploy has waited, in milliseconds. */
  readonly waitedMs: number;
}

/** What to wait for, or the domains that may stand in the certificate. */
export async function guard(
  attached: readonly AttachedDomain[],
  work: PoisonWork,
  ports: PoisonPorts,
): Promise<{ readonly held: Outcome } | { readonly attached: readonly AttachedDomain[] }> {
  const { poison, look } = ports;
  if (poison === 'proceed') return { attached };
  const bad = (await look.dns(work.app, namesOf(attached), work.calls)).filter(isBad);
  if (bad.length === 0) return { attached };
  if (poison === 'hold') return { held: hold(bad, attached.length, work, ports) };
  const remaining: AttachedDomain[] = [];
  for (const domain of attached) {
    const isDead = bad.some(({ name }) => namesOf([domain]).includes(name));
    if (!isDead || !(await detach(domain, work, ports))) remaining.push(domain);
  }
  const stuck = bad.filter(({ name }) => namesOf(remaining).includes(name));
  return stuck.length > 0 ? { held: hold(stuck, attached.length, work, ports) } : { attached: remaining };
}

function hold(
  bad: readonly DnsFinding[],
  count: number,
  { waitedMs }: PoisonWork,
  { pace }: PoisonPorts,
): Outcome {
  const why = bad.map(({ sentence }) => sentence).join('; ');
  const sentence = `the certificate that ${count} domains share is held back, since Let's Encrypt would refuse it for all: ${why}`;
  const delayMs = growing(waitedMs, pace.dnsFirstMs, pace.dnsLongestMs);
  return waiting(sentence, delayMs, { stage: 'held', mustAct: 'customer' });
}

/** True where it is off the web application. */
async function detach(
  domain: AttachedDomain,
  { app, calls }: PoisonWork,
  { runcloud, directory, intents, renew }: PoisonPorts,
): Promise<boolean> {
  const key: DomainKey = { ...app, domain: domain.name as DomainKey['domain'] };
  const intent = await intents.get(key);
  const isOurs =
    intent?.wish.want === 'present' && intent.attachedId === domain.id && domain.type !== 'primary';
  if (!isOurs) return false;
  const send = (options: CallOptions) => runcloud.detachDomain(app, domain, options);
  const written = await underFence(intents, key, intent.jobId, calls, send);
  if (written.fate !== 'written') return false;
  directory.note(app, domain.name, undefined, written.at);
  await intents.noteSeen(key, intent.jobId, 0, 0);
  await renew(intent);
  return true;
}
