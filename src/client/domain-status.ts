// The status of a domain, as in `GET /v1/domains/{domain}`: plain types. Times are ISO 8601; null:
// not known.
import type { Actor, DomainState } from '../domains/states.ts';

/** Chooses one of several web applications. */
export interface ApplicationIds {
  readonly serverId?: number | undefined;
  readonly appId?: number | undefined;
}

type RecordType = 'A' | 'AAAA' | 'CNAME' | 'CAA';

/** One record as in a zone file, its name without the trailing dot. */
export interface DnsRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly value: string;
  /** Any one of these records works too. */
  readonly alternatives: readonly { readonly type: RecordType; readonly value: string }[];
  /** False: the CDN's proxy must be off for this record. Null: does not apply. */
  readonly proxied: false | null;
}

export interface DnsFinding {
  readonly name: string;
  readonly verdict: string;
  readonly sentence: string;
  /** What could not be checked, although the name seems right. */
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

export interface TlsFinding {
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

export type DesiredState =
  | {
      readonly presence: 'present';
      readonly www: boolean | 'auto';
      readonly redirection: 'none' | 'www' | 'non-www';
    }
  | { readonly presence: 'absent' };

export interface StateChange {
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
  readonly desired: DesiredState;
  readonly state: DomainState;
  readonly since: string | null;
  /** Why it has this state, as a sentence for people. */
  readonly reason: string | null;
  /** The same as a code, for programs: docs/reference/reason-codes.md. */
  readonly reasonCode: string | null;
  /** The error code, if there is an error. */
  readonly code: string | null;
  /** What to do about the error. */
  readonly fix: string | null;
  /** Who must act. Null: nobody, it continues automatically. */
  readonly mustAct: Actor | null;
  readonly request: 'pending' | 'settled' | 'failed';
  readonly jobId: string;
  readonly requestedAt: string | null;
  readonly by: string | null;
  readonly for: string | null;
  readonly nextCheckAt: string | null;
  /** All three empty: nothing to change. Null: DNS was not checked, or is not needed. */
  readonly dnsRecords: {
    readonly set: readonly DnsRecord[];
    readonly remove: readonly DnsRecord[];
    readonly unsure: readonly DnsRecord[];
  } | null;
  readonly evidence: {
    readonly at: string | null;
    readonly dns: readonly DnsFinding[];
    readonly tls: readonly TlsFinding[];
  } | null;
  readonly job: {
    readonly id: string;
    readonly state: string;
    readonly attemptsMade: number;
    readonly nextRunAt: string | null;
  };
  /** The result of the last redeploy for this domain. */
  readonly certificate: {
    readonly at: string | null;
    readonly reason: string | null;
    readonly mustAct: Actor | null;
    readonly reasonCode: string | null;
    readonly code: string | null;
  } | null;
  readonly redeploy: {
    readonly id: string;
    readonly state: string;
    readonly nextRunAt: string | null;
  } | null;
  /** The last 50 changes of state, newest first. */
  readonly history: readonly StateChange[];
  readonly budgets: readonly {
    readonly limit: string;
    readonly subject: string;
    readonly left: number;
    readonly of: number;
  }[];
}
