// What the probes find out about one name: plain values, and one sentence for people.

/** DNS records as resolved. Addresses as text, names without the trailing dot. */
export interface DnsRecords {
  readonly a: readonly string[];
  readonly aaaa: readonly string[];
  /** The chain of CNAMEs from the name on, in order. */
  readonly cname: readonly string[];
  /** The CAA set that counts for the name (`issue letsencrypt.org`); may be empty. */
  readonly caa: readonly string[];
  /** How many records were cut. */
  readonly more?: number | undefined;
}

/**
 * One record of a zone: names absolute, a CNAME's target with its trailing dot, a CAA value as `0
 * issue "letsencrypt.org"`.
 */
export interface DnsRecord {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'CAA';
  readonly value: string;
  /** Any of these records may take its place. */
  readonly alternatives: readonly Pick<DnsRecord, 'type' | 'value'>[];
  /** False: the CDN's proxy must be off for it. Null: does not apply. */
  readonly proxied: false | null;
}

/** The records to set and to remove for a name. */
export interface DnsRecordChanges {
  readonly set: readonly DnsRecord[];
  readonly remove: readonly DnsRecord[];
  /** The right records of a name that could not be judged. */
  readonly unsure: readonly DnsRecord[];
}

/**
 * `here`: every address is an expected one. `proxied`: the addresses are a CDN's, and HTTP through
 * them reaches the web application. `elsewhere`: an A record points elsewhere. `leftover`: A is
 * right, an AAAA record points elsewhere. `missing`: no such name, or no address. `forbidden`: a
 * CAA record forbids Let's Encrypt. `unknown`: a DNS query failed; says nothing. `unchecked`: an
 * address is not expected, and the HTTP check through it failed. `cdn`: the addresses are a known
 * CDN's, and no HTTP check through them has reached the web application.
 */
export type DnsVerdict =
  | 'here'
  | 'proxied'
  | 'elsewhere'
  | 'leftover'
  | 'missing'
  | 'forbidden'
  | 'cdn'
  | 'unchecked'
  | 'unknown';

export interface DnsFinding {
  readonly name: string;
  readonly verdict: DnsVerdict;
  /** What was found, and the remedy: the same as in `changes`. */
  readonly sentence: string;
  /**
   * What could not be judged of a name that is right otherwise. It may be a failing name of an
   * order.
   */
  readonly doubt?: string | undefined;
  /** The addresses that the name should have. */
  readonly expected: readonly string[];
  readonly observed: DnsRecords;
  /** Undefined if no record has to change. */
  readonly changes?: DnsRecordChanges | undefined;
}

/** Let's Encrypt reaches us through this name. */
export const leadsHere = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  verdict === 'here' || verdict === 'proxied';

/** Its DNS is wrong, or points to a server that may be a proxy of ours. */
export const mayBeWrong = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  !leadsHere({ verdict }) && verdict !== 'unknown';

/**
 * Let's Encrypt would not validate this name. What could not be queried or checked is not called
 * wrong.
 */
export const isWrong = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  mayBeWrong({ verdict }) && verdict !== 'unchecked';

/**
 * The same beyond doubt, enough to detach a domain for it. HTTP may still reach us through a CDN's
 * proxy.
 */
export const isSurelyWrong = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  isWrong({ verdict }) && verdict !== 'cdn';

/** A server's certificate. Times in milliseconds since the epoch. */
export interface ServedCertificate {
  readonly subject: string;
  readonly issuer: string;
  /**
   * DNS names of the subjectAltName, wildcards as they are. In a finding: those of the name's own
   * site only.
   */
  readonly names: readonly string[];
  /** How many names were left out: other sites' names, and the rest of a long list. */
  readonly moreNames?: number | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `unknown`: no handshake; says nothing about the certificate. */
export type TlsVerdict = 'covers' | 'wrong-name' | 'expired' | 'not-yet-valid' | 'untrusted' | 'unknown';

export interface TlsFinding {
  readonly name: string;
  readonly verdict: TlsVerdict;
  readonly sentence: string;
  /** The server: `203.0.113.7:443`. */
  readonly address: string;
  readonly certificate?: ServedCertificate | undefined;
  /** Status of `HEAD /` over the same connection, if one came in time. */
  readonly httpStatus?: number | undefined;
}

/** `out-of-reach`: RunCloud's DNS integrations can write to none of the zone's name servers. */
export interface ZoneFinding {
  readonly name: string;
  readonly verdict: 'within-reach' | 'out-of-reach' | 'unknown';
  readonly sentence: string;
}
