// The record of one domain: what is requested, which job carries it, and its status. Types and pure functions, no I/O.

import type { DnsFinding, TlsFinding } from '../probes/findings.ts';
import type { Redirection, WebApplication } from '../runcloud/runcloud.ts';
import type { DomainName } from './domain-name.ts';
import type { ReasonCode } from './reasons.ts';
import type { Actor, DomainState } from './states.ts';

/** One domain on one web application: the key of every record. */
export interface DomainKey extends WebApplication {
  readonly domain: DomainName;
}

/** Of what `toMember` (redis/keys.ts) made. */
export function parseMember(member: string): DomainKey {
  const [serverId, appId, domain] = member.split(':');
  return { serverId: Number(serverId), appId: Number(appId), domain: domain as DomainName };
}

/** Who made a request. Only `by` is certain: a caller cannot choose it. */
export interface Requester {
  /** `api:<name of the token>`, `cli:<user>`, or `producer`: a program with access to Redis. Undefined: not known. */
  readonly by?: string | undefined;
  /** For whom, in the caller's own words: the payload's `requestedBy`. */
  readonly for?: string | undefined;
}

/** `by api:shop for "ada"`; empty if nobody is known. The caller's own text comes last, in quotes: it cannot pass for ours. */
export function toRequesterText({ by, for: behalf }: Requester): string {
  const said = behalf && `for "${behalf.replace(/["\p{Cc}]/gu, ' ')}"`;
  return [by && `by ${by}`, said].filter(Boolean).join(' ');
}

/** What is requested. */
export type Desired = DesiredPresent | DesiredAbsent;

export type Www = boolean | 'auto';

export interface DesiredPresent {
  readonly presence: 'present';
  /**
   * Whether the www name comes with it. True or false: the caller said so. `auto`: it comes with it by our own rule (the name is
   * registrable), and gives way if it blocks the domain; see `resolveWww`.
   */
  readonly www: Www;
  readonly redirection: Redirection;
}

export interface DesiredAbsent {
  readonly presence: 'absent';
}

/** Whether the www name is requested too, by the caller or by our own rule. */
export const includesWww = (desired: Desired): boolean =>
  desired.presence === 'present' && desired.www !== false;

/** One step of a domain's life. */
export interface Transition {
  readonly at: number;
  readonly state: DomainState;
  readonly reason: string;
  readonly reasonCode?: ReasonCode | undefined;
  readonly mustAct?: Actor | undefined;
  readonly code?: string | undefined;
  /** Who requested it, if the step is a request. */
  readonly by?: string | undefined;
  readonly for?: string | undefined;
}

/** What RunCloud's log says of a failed order. `lines`: the domain's people may read them. `elsewhere`: the log names others. */
export type LogText = { readonly kind: 'lines'; readonly text: string } | { readonly kind: 'elsewhere' };

/** What the last probes of DNS and of the server found of the domain and its www name. */
export interface Evidence {
  readonly at: number;
  readonly dns: readonly DnsFinding[];
  readonly tls: readonly TlsFinding[];
  /** What RunCloud's log said of the last order that failed, until the domain is live. */
  readonly log?: LogText | undefined;
}

/** `pending`: a job is queued or running. `settled`: RunCloud is as requested. `failed`: a person must act. */
export type RequestState = 'pending' | 'settled' | 'failed';

/** A time for each kind of write. */
export interface ByWrite {
  readonly attach: number;
  readonly change: number;
  readonly detach: number;
}

/** The record of one domain. Times are milliseconds since the epoch by Redis' own clock, the only one all share. */
export interface DomainRecord extends DomainKey {
  readonly desired: Desired;
  readonly request: RequestState;
  /** Where the domain stands in its life; `outcome` is the reason in words. */
  readonly state: DomainState;
  readonly stateAt: number;
  readonly mustAct: Actor | undefined;
  /** Since when it is attached, as far as this request knows; 0 where it is not known. An older order does not cover it. */
  readonly attachedAt: number;
  /** When RunCloud's list last had it; 0: read the list again. */
  readonly observedAt: number;
  /** Whether RunCloud's list last had it with its www name; undefined if not known. It outlives the generation. */
  readonly attachedWww: boolean | undefined;
  /**
   * How our own last write left its www; undefined where we wrote none. What RunCloud has otherwise is somebody's later choice, and
   * stays. Outlives the generation.
   */
  readonly setWww: boolean | undefined;
  /** What the last probes found. */
  readonly evidence: Evidence | undefined;
  /** Grows with every request that is not a repetition; the newest one is the one that counts. */
  readonly generation: number;
  /** The job that carries this generation. */
  readonly jobId: string;
  readonly requestedAt: number;
  /** BullMQ's job counter at the request: a job of an external producer with a higher number is newer. */
  readonly place: number;
  /** Who made the request: see `Requester`. */
  readonly by: string | undefined;
  readonly for: string | undefined;
  readonly siteId: string | undefined;
  /** The end (or, after a crash, the start) of our last write to RunCloud for this domain; 0 before the first. */
  readonly wroteAt: number;
  /**
   * Until when a POST (`attach`), PATCH (`change`) or DELETE (`detach`) of ours whose reply did not come may still take effect; 0: none.
   * A list that was read before says nothing final of it.
   */
  readonly lateUntil: ByWrite;
  /** What the last change that nobody has answered for would set www to. */
  readonly changesTo: boolean | undefined;
  /** Until when RunCloud's list may not show yet what it took of us: our last POST, PATCH or DELETE; 0: none. */
  readonly shownBy: ByWrite;
  /** The end of our last write that RunCloud did not refuse; 0 before the first. */
  readonly touchedAt: number;
  /** Our last write, if no redeploy was requested since: it has to follow. It outlives the generation. */
  readonly needsRedeployAfter: 'attach' | 'change' | 'detach' | undefined;
  /** How often the reconcile loop has repeated this request. */
  readonly renewals: number;
  /** RunCloud's id of the domain, where we attached it ourselves. */
  readonly attachedId: number | undefined;
  /** The last outcome in words, with its code where something is wrong. */
  readonly outcome: string | undefined;
  /** The reason for programs: of ours (reasons.ts), or the error's code. */
  readonly reasonCode: ReasonCode | undefined;
  readonly code: string | undefined;
  readonly outcomeAt: number | undefined;
  /** The job's next check, while pending; the next automatic repetition, while failed. */
  readonly nextRunAt: number | undefined;
}

/** Whether RunCloud has the domain with its www name: as its list says, else as we left it, else as requested. */
export const hasWww = ({
  attachedWww,
  setWww,
  desired,
}: Pick<DomainRecord, 'attachedWww' | 'setWww' | 'desired'>): boolean =>
  attachedWww ?? setWww ?? includesWww(desired);
