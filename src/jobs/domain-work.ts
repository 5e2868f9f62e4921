// What add-domain and remove-domain share: look and plan (conclude.ts has the end). The write itself stays in each job's file.

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

/** One domain's job at work. */
export interface DomainWork {
  readonly record: DomainRecord;
  readonly jobId: string;
  readonly calls: CallOptions;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Writes a sentence into the job's log. */
  readonly say: (sentence: string) => void;
}

/** What the outside hands in. */
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
  /** Undefined where neither DNS nor TLS is looked at (DNS_GATE=off and TLS_PROBE=off): attached is all there is. */
  readonly https: Https | undefined;
  /** Asks for a coalesced redeploy after the delay. */
  readonly requestRedeploy: (changed: DomainKey) => Promise<void>;
  /** Who is removed and asked for again has nothing to make up for (bench.ts). */
  readonly certificates: Pick<Certificates, 'reinstate'>;
  /** Web applications that RunCloud does not know. */
  readonly missing?: Pick<MissingApps, 'noteGone'> | undefined;
  /** API v3 can switch the www name of a domain that is there. */
  readonly changesWww: boolean;
  /** How long to wait before looking whether a nameless reply was true: long enough for a burst to share one reading. */
  readonly checkDelayMs: number;
  /** For how long after it was sent a write may take effect, where its reply does not come. */
  readonly lateMs: number;
  /** For how long RunCloud's list may lag behind what it took of us. */
  readonly lagMs: number;
  /** The longest pause between two looks at what waits for a person. */
  readonly heldMs: number;
}

/** A refusal of RunCloud's within a sentence about this domain: its own words may name anybody. */
export const wordsOf = ({ message }: CodedError, { domain }: Pick<DomainRecord, 'domain'>): string =>
  withoutOthers(message, [domain]);

export type DomainHandler = (work: DomainWork) => Promise<Outcome>;

/** Looks, and plans; a plan to do nothing rests on a reading that began after the request was made. */
export async function nextStep(
  { record, calls }: DomainWork,
  { directory, store }: DomainPorts,
): Promise<Step> {
  const look = (since: number): Promise<ObservedDomain> =>
    directory.find(record, record.domain, since, calls);
  // What was there, and may be gone (forgetSeen), cannot be told from an older reading.
  const isForgotten = record.attachedAt > 0 && record.observedAt === 0;
  // That there is nothing to remove may be one odd list: it ends the job, so it takes two.
  const confirm = async (step: Step, { at }: ObservedDomain): Promise<Step> =>
    step.kind === 'nothing' && record.desired.presence === 'absent' ? plan(record, await look(at + 1)) : step;
  const recent = await look(isForgotten ? await store.now() : record.wroteAt);
  const step = plan(record, recent);
  if (step.kind === 'attach' || step.kind === 'detach') return step;
  const until = step.kind === 'await' ? step.until : 0;
  const isOver = until > 0 && until <= (await store.now());
  if (recent.at >= record.requestedAt && !isOver) return confirm(step, recent);
  const seen = await look(Math.max(record.wroteAt, record.requestedAt, isOver ? until : 0));
  return confirm(plan(record, seen), seen);
}

/**
 * After a write that failed: looks what is there now, where a look may tell what the write did, else rethrows. Not while
 * RunCloud is down for everybody: the next run looks anyway.
 */
export async function lookAfter(
  error: unknown,
  codes: readonly Code[],
  { record, calls, say }: DomainWork,
  { directory, store }: DomainPorts,
): Promise<{ readonly error: CodedError; readonly seen: ObservedDomain }> {
  if (!hasCode(error, ...codes) || (error instanceof TransientError && !error.attemptSpent)) throw error;
  say(`${wordsOf(error, record)}; looking whether ${record.domain} is there`);
  return { error, seen: await directory.find(record, record.domain, await store.now(), calls) };
}

/**
 * Waits for the end of a write that may still take effect. Those that end at about the same time are looked at together: one
 * reading of the list serves them all.
 */
export async function awaitLate(
  { until, sentence }: Extract<Step, { kind: 'await' }>,
  { record: { desired } }: DomainWork,
  { store, checkDelayMs }: DomainPorts,
): Promise<Outcome> {
  const at = Math.ceil(until / checkDelayMs) * checkDelayMs;
  const delayMs = Math.max(1, at - (await store.now()));
  return waiting(sentence, delayMs, { state: desired.presence === 'present' ? 'attaching' : 'removing' });
}

/** The outcome of a write that the fence did not let through. */
export const unwritten = (fate: 'superseded' | 'busy', { domain }: DomainRecord): Outcome =>
  fate === 'superseded'
    ? superseded(`a newer request for ${domain} has taken over; nothing was written`)
    : waiting(`another run may still be writing for ${domain}`, BUSY_MS);

/** How soon to look again while another run holds the fence. */
export const BUSY_MS = 1_000;
