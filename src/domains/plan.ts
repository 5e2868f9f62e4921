// The pure middle: what is wanted, what is there, hence the next step. No I/O, no clock.
import type { Code } from '../errors.ts';
import type { AttachedDomain, NewDomain } from '../runcloud/runcloud.ts';
import { type DesiredPresent, type DomainRecord, includesWww } from './domain.ts';
import { settingsOf } from './www.ts';

/** A domain as seen on the web application. */
export interface Observed {
  readonly attached: AttachedDomain | undefined;
  /** The row with the lowest id: the one that RunCloud made together with the web application. */
  readonly isOldest: boolean;
  /** When the look began, in milliseconds by Redis' clock. */
  readonly at: number;
}

export type Step =
  | { readonly kind: 'nothing'; readonly sentence: string; readonly attached?: AttachedDomain }
  | { readonly kind: 'refuse'; readonly code: Code; readonly sentence: string }
  | { readonly kind: 'attach'; readonly domain: NewDomain }
  | { readonly kind: 'detach'; readonly domain: AttachedDomain }
  /** A write of ours whose reply did not come may yet undo what was seen: look again at `until`, and not before. */
  | { readonly kind: 'await'; readonly until: number; readonly sentence: string }
  /** RunCloud is as wanted because we wrote: the certificate has to follow. */
  | { readonly kind: 'cover'; readonly sentence: string; readonly attached?: AttachedDomain }
  /** It is attached as we left it, and its www name is wanted otherwise. `otherwise`: the step where that cannot be. */
  | {
      readonly kind: 'change';
      readonly attached: AttachedDomain;
      readonly www: boolean;
      readonly otherwise: Extract<Step, { kind: 'nothing' | 'cover' }>;
    };

/** The step that takes `observed` nearer to `record`; running it twice, or late, is safe because each run looks again. */
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
  const differs = differences(record, desired, attached);
  const otherwise = record.needsRedeployAfter
    ? ({ kind: 'cover', sentence: `${record.domain} is attached${differs}`, attached } as const)
    : ({ kind: 'nothing', sentence: `${record.domain} is attached already${differs}`, attached } as const);
  const has = attached.www ?? record.setWww;
  // A change of ours that nobody answered for may be what is seen.
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
      return { kind: 'cover', sentence: `${record.domain} is removed` };
    return { kind: 'nothing', sentence: `${record.domain} is not attached, nothing to remove` };
  }
  const primary = primaryReason(record, observed, attached);
  if (primary) return { kind: 'refuse', code: 'primary-domain', sentence: primary };
  return { kind: 'detach', domain: attached };
}

type Await = Extract<Step, { kind: 'await' }>;

/** Whether an attachment of ours whose reply did not come may show up after `observedAt`. */
export const lateAttachment = ({ domain, lateUntil }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(
    lateUntil.attach,
    observedAt,
    `${domain} is not attached, but RunCloud never answered when it was last asked to attach it, and may still do so`,
  );

/** The same of a removal. */
export const lateRemoval = ({ domain, lateUntil }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(
    lateUntil.detach,
    observedAt,
    `${domain} is attached, but RunCloud never answered when it was last asked to remove it, and may still do so`,
  );

/** Whether the list may lag behind what RunCloud took of us. */
const unshownAttachment = ({ domain, shownBy }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(
    shownBy.attach,
    observedAt,
    `RunCloud took ${domain} a moment ago, and its list does not show it yet`,
  );

const unshownRemoval = ({ domain, shownBy }: DomainRecord, observedAt: number): Await | undefined =>
  awaited(shownBy.detach, observedAt, `RunCloud removed ${domain} a moment ago, and its list shows it still`);

/** The same of a change of its www name to the opposite of what is wanted. */
const lateChange = (
  { domain, lateUntil, changesTo }: DomainRecord,
  www: boolean,
  observedAt: number,
): Await | undefined =>
  changesTo === undefined || changesTo === www
    ? undefined
    : awaited(
        lateUntil.change,
        observedAt,
        `RunCloud never answered when it was last asked to switch the www name of ${domain} ${onOff(changesTo)}, and may still do so`,
      );

const unshownChange = (
  { domain, setWww, shownBy }: DomainRecord,
  { www }: AttachedDomain,
  observedAt: number,
): Await | undefined =>
  www === undefined || setWww === undefined || www === setWww
    ? undefined
    : awaited(
        shownBy.change,
        observedAt,
        `RunCloud switched the www name of ${domain} ${onOff(setWww)} a moment ago, and its list does not show it yet`,
      );

const onOff = (www: boolean): string => (www ? 'on' : 'off');

const awaited = (until: number, observedAt: number, sentence: string): Await | undefined =>
  until <= observedAt ? undefined : { kind: 'await', until, sentence };

// API v2 does not send `type` (docs/reference/runcloud-api.md). RunCloud makes the primary together with the web application, so
// the oldest row is taken for it, unless we attached that row ourselves.
function primaryReason(
  record: DomainRecord,
  observed: Observed,
  attached: AttachedDomain,
): string | undefined {
  if (attached.type === 'primary')
    return `${record.domain} is the primary domain of web application ${record.appId}; it is never removed`;
  if (attached.type === undefined && observed.isOldest && attached.id !== record.attachedId)
    return `${record.domain} is the oldest domain of web application ${record.appId} and RunCloud does not say whether it is the primary; it is not removed`;
  return undefined;
}

/** Attached by ourselves, and no primary: SSL_INVALID_NAMES=detach may take it off. */
export const isOurs = (attached: AttachedDomain, { desired, attachedId }: DomainRecord): boolean =>
  desired.presence === 'present' && attached.id === attachedId && attached.type !== 'primary';

// We never change the settings of a domain that is there already, save the www name that we have left as it is ourselves: RunCloud
// may hold an operator's later choice. Where www was left out by us, the outcome has its own words for it.
function differences({ setWww }: DomainRecord, desired: DesiredPresent, attached: AttachedDomain): string {
  const isLeftOut = setWww === false && attached.www === false;
  const { www, redirection } = settingsOf(desired, includesWww(desired) && !isLeftOut);
  const found: string[] = [];
  if (attached.www !== undefined && attached.www !== www) found.push(`www ${onOff(attached.www)}`);
  if (attached.redirection !== undefined && attached.redirection !== redirection)
    found.push(`redirection ${attached.redirection}`);
  return found.length > 0 ? ` (with ${found.join(', ')}; left as it is)` : '';
}
