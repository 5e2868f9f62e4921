// The pure middle: from desired and observed state to the next step. No I/O, no clock.
import type { Code } from '../errors.ts';
import type { AttachedDomain, NewDomain } from '../runcloud/runcloud.ts';
import { type DesiredPresent, type DomainRecord, includesWww } from './domain.ts';
import {
  attachNotListed,
  attachUnanswered,
  changeNotListed,
  changeUnanswered,
  isAttached,
  isPrimary,
  isRemoved,
  mayBePrimary,
  notAttached,
  redirectionIs,
  removalNotListed,
  removalUnanswered,
  wwwIs,
} from './messages.ts';
import type { ReasonCode } from './reasons.ts';
import { settingsOf } from './www.ts';

/** A domain as the web application's list has it. */
export interface Observed {
  readonly attached: AttachedDomain | undefined;
  /** The row with the lowest id: the one that RunCloud made together with the web application. */
  readonly isOldest: boolean;
  /** When the list was read, in milliseconds by Redis' clock: the beginning of the call. */
  readonly at: number;
}

export type Step =
  | {
      readonly kind: 'nothing';
      readonly sentence: string;
      readonly reasonCode: ReasonCode;
      readonly attached?: AttachedDomain;
    }
  | { readonly kind: 'refuse'; readonly code: Code; readonly sentence: string }
  | { readonly kind: 'attach'; readonly domain: NewDomain }
  | { readonly kind: 'detach'; readonly domain: AttachedDomain }
  /** An unanswered write of ours may still undo what was observed: check again at `until`, and not before. */
  | {
      readonly kind: 'await';
      readonly until: number;
      readonly sentence: string;
      readonly reasonCode: ReasonCode;
    }
  /** RunCloud is as requested because we wrote: the certificate has to follow. */
  | {
      readonly kind: 'cover';
      readonly sentence: string;
      readonly reasonCode: ReasonCode;
      readonly attached?: AttachedDomain;
    }
  /** It is attached as we left it, and its www name is requested otherwise. `otherwise`: the step if that cannot be. */
  | {
      readonly kind: 'change';
      readonly attached: AttachedDomain;
      readonly www: boolean;
      readonly otherwise: Extract<Step, { kind: 'nothing' | 'cover' }>;
    };

/** The step that takes `observed` nearer to `record`. To run it twice, or late, is safe: each run observes again. */
export function plan(record: DomainRecord, observed: Observed): Step {
  const { desired } = record;
  return desired.presence === 'present'
    ? planPresent(record, desired, observed)
    : planAbsent(record, observed);
}

function planPresent(record: DomainRecord, desired: DesiredPresent, { attached, at }: Observed): Step {
  const www = includesWww(desired);
  if (!attached) return { kind: 'attach', domain: { name: record.domain, ...settingsOf(desired, www) } };
  const late =
    lateRemoval(record, at) ??
    unshownRemoval(record, at) ??
    lateChange(record, www, at) ??
    unshownChange(record, attached, at);
  if (late) return late;
  const sentence = isAttached(record.domain, differences(record, desired, attached));
  const kind = record.needsRedeployAfter ? 'cover' : 'nothing';
  const otherwise = { kind, sentence, reasonCode: 'attached', attached } as const;
  const has = attached.www ?? record.setWww;
  // What is observed may be an unanswered change of ours.
  const isAsWeLeftIt =
    isOurs(attached, record) && has !== undefined && (has === record.setWww || has === record.changesTo);
  return isAsWeLeftIt && has !== www ? { kind: 'change', attached, www, otherwise } : otherwise;
}

function planAbsent(record: DomainRecord, observed: Observed): Step {
  const { attached } = observed;
  if (!attached) {
    const late = lateAttachment(record, observed.at) ?? unshownAttachment(record, observed.at);
    if (late) return late;
    // An attachment that never showed needs no certificate.
    if (record.needsRedeployAfter === 'detach')
      return { kind: 'cover', sentence: isRemoved(record.domain), reasonCode: 'removed' };
    return { kind: 'nothing', sentence: notAttached(record.domain), reasonCode: 'not-attached' };
  }
  const primary = primaryReason(record, observed, attached);
  if (primary) return { kind: 'refuse', code: 'primary-domain', sentence: primary };
  return { kind: 'detach', domain: attached };
}

type Await = Extract<Step, { kind: 'await' }>;

/** An unanswered attachment of ours may show up after `observedAt`. */
export const lateAttachment = ({ domain, lateUntil }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(lateUntil.attach, observedAt, 'write-unanswered', () => attachUnanswered(domain));

/** The same of a removal. */
export const lateRemoval = ({ domain, lateUntil }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(lateUntil.detach, observedAt, 'write-unanswered', () => removalUnanswered(domain));

/** The list may lag behind what RunCloud took of us. */
const unshownAttachment = ({ domain, shownBy }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(shownBy.attach, observedAt, 'list-lags', () => attachNotListed(domain));

const unshownRemoval = ({ domain, shownBy }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(shownBy.detach, observedAt, 'list-lags', () => removalNotListed(domain));

/** The same of a change of its www name to the opposite of the request. */
const lateChange = (
  { domain, lateUntil, changesTo }: DomainRecord,
  www: boolean,
  observedAt: number,
): Await | undefined =>
  changesTo === undefined || changesTo === www
    ? undefined
    : awaited(lateUntil.change, observedAt, 'write-unanswered', () => changeUnanswered(domain, changesTo));

const unshownChange = (
  { domain, setWww, shownBy }: DomainRecord,
  { www }: AttachedDomain,
  observedAt: number,
): Await | undefined =>
  www === undefined || setWww === undefined || www === setWww
    ? undefined
    : awaited(shownBy.change, observedAt, 'list-lags', () => changeNotListed(domain, setWww));

const awaited = (
  until: number,
  observedAt: number,
  reasonCode: ReasonCode,
  toSentence: () => string,
): Await | undefined =>
  until <= observedAt ? undefined : { kind: 'await', until, sentence: toSentence(), reasonCode };

// API v2 does not send `type` (docs/reference/runcloud-api.md). RunCloud makes the primary together with the web application, so
// the oldest row is taken for it, unless we attached that row ourselves.
function primaryReason(
  record: DomainRecord,
  observed: Observed,
  attached: AttachedDomain,
): string | undefined {
  if (attached.type === 'primary') return isPrimary(record.domain, record.appId);
  if (attached.type === undefined && observed.isOldest && attached.id !== record.attachedId)
    return mayBePrimary(record.domain, record.appId);
  return undefined;
}

/** Attached by us, and not primary: SSL_INVALID_NAMES=detach may detach it. */
export const isOurs = (attached: AttachedDomain, { desired, attachedId }: DomainRecord): boolean =>
  desired.presence === 'present' && attached.id === attachedId && attached.type !== 'primary';

// The settings of an attached domain are never changed, except for a www name that we have left as it is ourselves: RunCloud may
// have an operator's later choice. A www name that was left out by us has a sentence of its own.
function differences(
  { setWww }: DomainRecord,
  desired: DesiredPresent,
  attached: AttachedDomain,
): readonly string[] {
  const isLeftOut = setWww === false && attached.www === false;
  const { www, redirection } = settingsOf(desired, includesWww(desired) && !isLeftOut);
  const found: string[] = [];
  if (attached.www !== undefined && attached.www !== www) found.push(wwwIs(attached.www));
  if (attached.redirection !== undefined && attached.redirection !== redirection)
    found.push(redirectionIs(attached.redirection));
  return found;
}
