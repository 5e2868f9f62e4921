// How a domain stands, as `GET /v1/domains/{domain}` answers: plain types. Times are ISO 8601; what is not known is null.
import type { Actor, DomainState } from '../domains/states.ts';

/** Which of several web applications is meant. */
export interface On {
  readonly serverId?: number | undefined;
  readonly appId?: number | undefined;
}

type RecordType = 'A' | 'AAAA' | 'CNAME' | 'CAA';

/** One record as a zone file has it, its name without the trailing dot. */
export interface DnsRecordToSet {
  readonly name: string;
  readonly type: RecordType;
  readonly value: string;
  /** Records any of which does as well in its place. */
  readonly alternatives: readonly { readonly type: RecordType; readonly value: string }[];
  /** False: right only with the CDN's proxy off for it; null: does not apply. */
  readonly proxied: false | null;
}

export interface DnsFindingShown {
  readonly name: string;
  readonly verdict: string;
  readonly sentence: string;
  /** What could not be judged of a name that looks right. */
  readonly doubt?: string | undefined;
  readonly expected: readonly string[];
  readonly observed: {
    readonly a: readonly string[];
    readonly aaaa: readonly string[];
    readonly cname: readonly string[];
    readonly caa: readonly string[];
    readonly more?: number | undefined;
  };
}

export interface TlsFindingShown {
  readonly name: string;
  readonly verdict: string;
  readonly sentence: string;
  readonly address: string;
  readonly httpStatus?: number | undefined;
  readonly certificate: {
    readonly subject: string;
    readonly issuer: string;
    readonly names: readonly string[];
    readonly notBefore: string | null;
    readonly notAfter: string | null;
    readonly moreNames?: number | undefined;
  } | null;
}

export type DesiredRecord =
  | {
      readonly presence: 'present';
      readonly www: boolean | 'auto';
      readonly redirection: 'none' | 'www' | 'non-www';
    }
  | { readonly presence: 'absent' };

export interface StatusStep {
  readonly at: string | null;
  readonly state: string;
  readonly mustAct: string | null;
  readonly reason: string;
  readonly reasonCode: string | null;
  readonly code: string | null;
  readonly by: string | null;
  readonly for: string | null;
}

export interface DomainStatus {
  readonly domain: string;
  readonly serverId: number;
  readonly appId: number;
  readonly siteId: string | null;
  readonly desired: DesiredRecord;
  readonly state: DomainState;
  readonly since: string | null;
  /** Why it stands there, in a sentence for a person. */
  readonly reason: string | null;
  /** The same for programs: docs/reference/reason-codes.md. */
  readonly reasonCode: string | null;
  readonly code: string | null;
  /** What to do about the code. */
  readonly fix: string | null;
  /** Who must act; null: nobody, it goes on by itself. */
  readonly mustAct: Actor | null;
  readonly request: 'pending' | 'settled' | 'failed';
  readonly jobId: string;
  readonly requestedAt: string | null;
  readonly by: string | null;
  readonly for: string | null;
  readonly nextCheckAt: string | null;
  /** All three empty: nothing to change. Null: DNS was not looked at, or is not needed. */
  readonly dnsRecords: {
    readonly set: readonly DnsRecordToSet[];
    readonly remove: readonly DnsRecordToSet[];
    readonly unsure: readonly DnsRecordToSet[];
  } | null;
  readonly evidence: {
    readonly at: string | null;
    readonly dns: readonly DnsFindingShown[];
    readonly tls: readonly TlsFindingShown[];
  } | null;
  readonly job: {
    readonly id: string;
    readonly state: string;
    readonly attemptsMade: number;
    readonly nextRunAt: string | null;
  };
  /** What the last redeploy of its certificate said to it. */
  readonly certificate: {
    readonly outcome: string | null;
    readonly outcomeAt: string | null;
    readonly mustAct: Actor | null;
    readonly reasonCode: string | null;
    readonly code: string | null;
  } | null;
  readonly redeploy: {
    readonly id: string;
    readonly state: string;
    readonly nextRunAt: string | null;
  } | null;
  /** Its last 50 changes of state, the newest first. */
  readonly history: readonly StatusStep[];
  readonly budgets: readonly {
    readonly limit: string;
    readonly subject: string;
    readonly left: number;
    readonly of: number;
  }[];
}
