// Detaches a domain from the web application: for remove-domain, and for a domain that blocks others (add-domain).
import { PermanentError } from '../errors.ts';
import { type Leased, underLease } from '../lease/lease.ts';
import { hadNoEffect, RejectedError } from '../runcloud/errors.ts';
import type { AttachedDomain, CallOptions } from '../runcloud/runcloud.ts';
import { type DomainPorts, type DomainWork, observeAfter, wordsOf } from './domain-work.ts';

/** The value is false if RunCloud accepted it without returning the domain: the list has to show that it is gone. */
export async function detach(
  domain: AttachedDomain,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Leased<boolean>> {
  const { record, jobId, calls } = work;
  const { runcloud, store, directory, lateMs, lagMs } = ports;
  const send = (options: CallOptions) => runcloud.detachDomain(record, domain, options);
  const write = { key: record, jobId, kind: 'detach', lateMs, lagMs, hadNoEffect } as const;
  const written = await underLease(store, write, calls, send).catch((error: unknown) =>
    observe(error, work, ports),
  );
  if (written.fate === 'written' && written.value)
    directory.recordWrite(record, record.domain, undefined, written.at);
  return written;
}

// A 404 may mean that the domain is gone already, or that RunCloud does not know the web application: the list decides. A list
// that still shows the domain may lag behind our own writes. Without such writes the refusal is RunCloud's last word.
async function observe(failure: unknown, work: DomainWork, ports: DomainPorts): Promise<Leased<true>> {
  const codes = [
    'runcloud-unknown-result',
    'runcloud-intercepted',
    'runcloud-not-found',
    'runcloud-rejected',
  ] as const;
  const { error, observed } = await observeAfter(failure, codes, work, ports);
  if (!observed.attached) return { fate: 'written', value: true, at: observed.at };
  const isFinal = error instanceof RejectedError && error.isAboutDomain && work.record.touchedAt === 0;
  throw isFinal ? new PermanentError(error.code, wordsOf(error, work.record), { cause: error }) : error;
}
