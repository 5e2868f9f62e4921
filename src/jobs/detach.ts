// Takes a domain off the web application, for remove-domain and for a domain that makes room for others (add-domain).
import { type Fenced, underFence } from '../intent/fence.ts';
import type { AttachedDomain, CallOptions } from '../runcloud/runcloud.ts';
import { type DomainPorts, type DomainWork, lookAfter } from './domain-work.ts';

/** The value is false where RunCloud accepted it without naming the domain: whether it is gone has to be looked at. */
export async function detach(
  domain: AttachedDomain,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Fenced<boolean>> {
  const { intent, jobId, calls } = work;
  const { runcloud, intents, directory } = ports;
  const send = (options: CallOptions) => runcloud.detachDomain(intent, domain, options);
  const write = { key: intent, jobId, kind: 'detach' } as const;
  const written = await underFence(intents, write, calls, send).catch((error: unknown) =>
    look(error, work, ports),
  );
  if (written.fate === 'written' && written.value)
    directory.note(intent, intent.domain, undefined, written.at);
  return written;
}

// 404 may mean that the domain went before us, or that the web application is unknown: the list tells.
async function look(failure: unknown, work: DomainWork, ports: DomainPorts): Promise<Fenced<true>> {
  const codes = ['runcloud-unknown-result', 'runcloud-not-found'] as const;
  const { error, seen } = await lookAfter(failure, codes, work, ports);
  if (seen.attached) throw error;
  return { fate: 'written', value: true, at: seen.at };
}
