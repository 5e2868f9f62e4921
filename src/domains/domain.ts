// What is wanted for one domain, and which job carries it. Types and pure readings only, no I/O.

import type { DnsFinding, TlsFinding } from '../probes/findings.ts';
import type { Redirection, WebApplication } from '../runcloud/runcloud.ts';
import type { DomainName } from './domain-name.ts';
import type { ReasonCode } from './reasons.ts';
import type { Actor, DomainState } from './states.ts';

/** One domain on one web application: the key of everything that we remember. */
export interface DomainKey extends WebApplication {
  readonly domain: DomainName;
}

/** Of what `toMember` (redis/keys.ts) made. */
export function parseMember(member: string): DomainKey {
  const [serverId, appId, domain] = member.split(':');
  return { serverId: Number(serverId), appId: Number(appId), domain: domain as DomainName };
}

/** Who asks. Only `by` may be relied on; a caller cannot choose it. */
export interface Requester {
  /** `api:<name of the token>`, `cli:<user>`, or `producer`: a program that is no server of ours. Undefined: nobody knows any more. */
  readonly by?: string | undefined;
  /** For whom, in the caller's own words: the payload's `requestedBy`. */
  readonly for?: string | undefined;
}

/** `by api:shop for "ada"`; empty where nobody is known. The caller's own text comes last, and in quotes: it cannot look like ours. */
export function toRequesterText({ by, for: behalf }: Requester): string {
  const said = behalf && `for "${behalf.replace(/["\p{Cc}]/gu, ' ')}"`;
  return [by && `by ${by}`, said].filter(Boolean).join(' ');
}

/** What somebody asks for. */
export type Desired = DesiredPresent | DesiredAbsent;

export type Www = boolean | 'auto';

export interface DesiredPresent {
  readonly presence: 'present';
  /**
   * Whether the www name comes with it. True or false: the caller said so. `auto`: it comes with it by our own rule (the name is
   * registrable), and gives way where it stands in the way; see `resolveWww`.
   */
  readonly www: Www;
  readonly redirection: Redirection;
}

export interface DesiredAbsent {
  readonly presence: 'absent';
}

/** Whether the wish takes the www name too, by whomever. */
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
  /** Who asked, where the step is a request. */
  readonly by?: string | undefined;
  readonly for?: string | undefined;
}

/** What RunCloud's log says of a failed order. `lines`: the domain's people may read them. `elsewhere`: the log names others. */
export type LogText = { readonly kind: 'lines'; readonly text: string } | { readonly kind: 'elsewhere' };

/** What the last look at DNS and at the server saw of the domain and its www twin. */
export interface Evidence {
  readonly at: number;
  readonly dns: readonly DnsFinding[];
  readonly tls: readonly TlsFinding[];
  /** What RunCloud's log said of the last order that failed, until the domain is live. */
  readonly log?: LogText | undefined;
}

/** `pending`: a job is on its way. `settled`: RunCloud is as wanted. `failed`: a person must act. */
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
  /** When RunCloud was last seen to have it; 0: look again. */
  readonly observedAt: number;
  /** Whether RunCloud has it with its www twin, as last seen; undefined where it was not seen, or RunCloud does not tell. Outlives the generation. */
  readonly attachedWww: boolean | undefined;
  /**
   * How our own last write left its www; undefined where we wrote none. What RunCloud has otherwise is somebody's later choice, and
   * stays. Outlives the generation.
   */
  readonly setWww: boolean | undefined;
  /** What the last looks saw. */
  readonly evidence: Evidence | undefined;
  /** Grows with every request that is not a repetition; the newest one is the one that counts. */
  readonly generation: number;
  /** The job that carries this generation. */
  readonly jobId: string;
  readonly requestedAt: number;
  /** BullMQ's job counter when it was asked for: a bare client's job with a higher number is newer. */
  readonly place: number;
  /** Who asked, as far as we know it: see `Asker`. */
  readonly by: string | undefined;
  readonly for: string | undefined;
  readonly siteId: string | undefined;
  /** The end (or, after a crash, the start) of our last write to RunCloud for this domain; 0 before the first. */
  readonly wroteAt: number;
  /**
   * Until when a POST (`attach`), PATCH (`change`) or DELETE (`detach`) of ours whose reply did not come may still take effect; 0: none.
   * A look that began before tells nothing final of it.
   */
  readonly lateUntil: ByWrite;
  /** What the last change that nobody has answered for would set www to. */
  readonly changesTo: boolean | undefined;
  /** Until when RunCloud's list may not show yet what it took of us: our last POST, PATCH or DELETE; 0: none. */
  readonly shownBy: ByWrite;
  /** The end of our last write that RunCloud did not refuse; 0 before the first. */
  readonly touchedAt: number;
  /** Our last write, while the certificate has not been asked for since: it has to follow. Outlives the generation. */
  readonly needsRedeployAfter: 'attach' | 'change' | 'detach' | undefined;
  /** How often the sweep has asked for this wish again. */
  readonly renewals: number;
  /** RunCloud's id of the domain, where we attached it ourselves. */
  readonly attachedId: number | undefined;
  /** The last outcome in words, with its code where something is wrong. */
  readonly outcome: string | undefined;
  /** The reason for programs: of ours (reasons.ts), or the error's code. */
  readonly reasonCode: ReasonCode | undefined;
  readonly code: string | undefined;
  readonly outcomeAt: number | undefined;
  /** When the job looks again, while pending; when it is asked for again by itself, while failed. */
  readonly nextRunAt: number | undefined;
}

/** Whether RunCloud has the domain with its www name; where it does not tell, as we left it; where that is not known, as it is wanted. */
export const hasWww = ({
  attachedWww,
  setWww,
  desired,
}: Pick<DomainRecord, 'attachedWww' | 'setWww' | 'desired'>): boolean =>
  attachedWww ?? setWww ?? includesWww(desired);
