// What add-domain and remove-domain share: observe and plan (conclude.ts has the end). The write itself is in each job's file.

import type { Certificates } from '../certificates/certificates.ts';
import type { DomainKey, DomainRecord } from '../domains/domain.ts';
import { withoutOthers } from '../domains/other-names.ts';
import { type Outcome, superseded, waiting } from '../domains/outcome.ts';
import { plan, type Step } from '../domains/plan.ts';
import type { DomainStore } from '../domains/store.ts';
import { type Code, type CodedError, hasCode, TransientError } from '../errors.ts';
import type { Https } from '../https/https.ts';
import type { Directory, MissingApps, ObservedDomain } from '../runcloud/directory.ts';
import type { CallOptions, RunCloud } from '../runcloud/runcloud.ts';
import { checkingList, newerRequest, writeInProgress } from './messages.ts';

/** One run of a domain's job. */
export interface DomainWork {
  readonly record: DomainRecord;
  readonly jobId: string;
  readonly calls: CallOptions;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Writes a sentence into the job's log. */
  readonly say: (sentence: string) => void;
}

/** What the jobs of domains need. */
export interface DomainPorts {
  readonly runcloud: Pick<
    RunCloud,
    'attachDomain' | 'changeDomain' | 'detachDomain' | 'getServer' | 'getWebApplication'
  >;
  readonly directory: Directory;
  readonly store: Pick<
    DomainStore,
    'beginWrite' | 'renewWrite' | 'endWrite' | 'now' | 'forgetObserved' | 'everywhere' | 'get'
  >;
  /** Undefined if neither DNS nor TLS is probed (DNS_GATE=off and TLS_PROBE=off): attached is the last state. */
  readonly https: Https | undefined;
  /** Requests a coalesced redeploy after the delay. */
  readonly requestRedeploy: (changed: DomainKey) => Promise<void>;
  /** A domain that is removed and requested again is not sidelined any more. */
  readonly certificates: Pick<Certificates, 'reinstate'>;
  /** Web applications that RunCloud does not know. */
  readonly missing?: Pick<MissingApps, 'noteGone'> | undefined;
  /** API v3 can switch the www name of a domain that is there. */
  readonly changesWww: boolean;
  /** When the list is read again after a reply that confirms nothing: a burst shares one list. */
  readonly checkDelayMs: number;
  /** How long an unanswered write may still take effect after it was sent. */
  readonly lateMs: number;
  /** How long RunCloud's list may lag behind what it took of us. */
  readonly lagMs: number;
  /** The longest delay between two checks of what waits for a person. */
  readonly heldMs: number;
}

/** RunCloud's refusal for a sentence about this domain: its own words may name anybody. */
export const wordsOf = ({ message }: CodedError, { domain }: Pick<DomainRecord, 'domain'>): string =>
  withoutOthers(message, [domain]);

export type DomainHandler = (work: DomainWork) => Promise<Outcome>;

/** Observes, and plans. A plan to do nothing rests on a list that was read after the request was made. */
export async function nextStep(
  { record, calls }: DomainWork,
  { directory, store }: DomainPorts,
): Promise<Step> {
  const observe = (since: number): Promise<ObservedDomain> =>
    directory.find(record, record.domain, since, calls);
  // An older list does not show whether what was there is gone (forgetObserved).
  const isForgotten = record.attachedAt > 0 && record.observedAt === 0;
  // "Nothing to remove" ends the job, and may be one odd list: it takes two.
  const confirm = async (step: Step, { at }: ObservedDomain): Promise<Step> =>
    step.kind === 'nothing' && record.desired.presence === 'absent'
      ? plan(record, await observe(at + 1))
      : step;
  const recent = await observe(isForgotten ? await store.now() : record.wroteAt);
  const step = plan(record, recent);
  if (step.kind === 'attach' || step.kind === 'detach') return step;
  const until = step.kind === 'await' ? step.until : 0;
  const isOver = until > 0 && until <= (await store.now());
  if (recent.at >= record.requestedAt && !isOver) return confirm(step, recent);
  const observed = await observe(Math.max(record.wroteAt, record.requestedAt, isOver ? until : 0));
  return confirm(plan(record, observed), observed);
}

/**
 * After a failed write: reads the list if that may show what the write did, else rethrows. Not during an outage: the next run
 * reads it anyway.
 */
export async function observeAfter(
  error: unknown,
  codes: readonly Code[],
  { record, calls, say }: DomainWork,
  { directory, store }: DomainPorts,
): Promise<{ readonly error: CodedError; readonly observed: ObservedDomain }> {
  if (!hasCode(error, ...codes) || (error instanceof TransientError && !error.attemptSpent)) throw error;
  say(checkingList(wordsOf(error, record), record.domain));
  return { error, observed: await directory.find(record, record.domain, await store.now(), calls) };
}

/**
 * Waits for the end of a write that may still take effect. Writes that end at about the same time are checked together, with one
 * list.
 */
export async function awaitLate(
  { until, sentence, reasonCode }: Extract<Step, { kind: 'await' }>,
  { record: { desired } }: DomainWork,
  { store, checkDelayMs }: DomainPorts,
): Promise<Outcome> {
  const at = Math.ceil(until / checkDelayMs) * checkDelayMs;
  const delayMs = Math.max(1, at - (await store.now()));
  const state = desired.presence === 'present' ? 'attaching' : 'removing';
  return waiting(sentence, delayMs, { state, reasonCode });
}

/** The outcome of a write that got no lease. */
export const unwritten = (fate: 'superseded' | 'busy', { domain }: DomainRecord): Outcome =>
  fate === 'superseded'
    ? superseded(newerRequest(domain))
    : waiting(writeInProgress(domain), BUSY_MS, { reasonCode: 'write-in-progress' });

/** The next try while another run has the lease. */
export const BUSY_MS = 1_000;
