// Switches the www name of a domain that we attached on or off: a www name that was left out, one that blocks others, or one that
// is no longer requested. A write like the others: it needs the lease, and the list shows what a lost reply means.

import type { DomainRecord } from '../domains/domain.ts';
import { settingsOf } from '../domains/www.ts';
import { CodedError, hasCode } from '../errors.ts';
import { type Leased, underLease } from '../lease/lease.ts';
import { hadNoEffect } from '../runcloud/errors.ts';
import type { AttachedDomain, CallOptions } from '../runcloud/runcloud.ts';
import { type DomainPorts, type DomainWork, observeAfter, wordsOf } from './domain-work.ts';

/** The result. `refused`: the domain goes on as it was. `untold`: RunCloud's list will show whether it was done. */
export type Changed =
  | { readonly kind: 'changed'; readonly attached: AttachedDomain; readonly record: DomainRecord }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'untold' }
  | { readonly kind: 'unwritten'; readonly fate: 'superseded' | 'busy' };

export async function changeWww(
  www: boolean,
  attached: AttachedDomain,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Changed> {
  const { record } = work;
  if (record.desired.presence === 'absent')
    throw new TypeError('a domain that is to be removed is not changed');
  const settings = settingsOf(record.desired, www);
  const { runcloud, store, directory, lateMs, lagMs } = ports;
  const send = (options: CallOptions) => runcloud.changeDomain(record, attached, settings, options);
  const write = { key: record, jobId: work.jobId, kind: 'change', www, lateMs, lagMs, hadNoEffect } as const;
  const written = await underLease(store, write, work.calls, send).catch((error: unknown) =>
    observe(error, www, work, ports),
  );
  if (written instanceof CodedError) return { kind: 'refused', why: wordsOf(written, record) };
  if (written.fate !== 'written') return { kind: 'unwritten', fate: written.fate };
  if (!written.value) return { kind: 'untold' };
  const changed = { ...attached, ...settings };
  directory.recordWrite(record, record.domain, changed, written.at);
  return {
    kind: 'changed',
    attached: changed,
    record: { ...record, setWww: www, needsRedeployAfter: 'change' },
  };
}

// A refusal leaves everything as it was. It must not detach a domain that is served.
async function observe(
  failure: unknown,
  www: boolean,
  work: DomainWork,
  ports: DomainPorts,
): Promise<Leased<true> | CodedError> {
  if (hasCode(failure, 'runcloud-rejected', 'runcloud-not-found', 'runcloud-forbidden')) return failure;
  const { error, observed } = await observeAfter(
    failure,
    ['runcloud-unknown-result', 'runcloud-intercepted'],
    work,
    ports,
  );
  if (observed.attached?.www !== www) throw error;
  return { fate: 'written', value: true, at: observed.at };
}
