// What the probes find out about one name: plain values, with a sentence each that a support agent can read out.

/** DNS records as resolved. Addresses as text, names without the trailing dot. */
export interface DnsRecords {
  readonly a: readonly string[];
  readonly aaaa: readonly string[];
  /** The chain of CNAMEs from the name on, in order. */
  readonly cname: readonly string[];
  /** The CAA set that counts for the name (`issue letsencrypt.org`), empty where there is none. */
  readonly caa: readonly string[];
  /** How many records there are besides: the lists are cut, since DNS is anybody's. */
  readonly more?: number | undefined;
}

/** One record as a zone holds it: names absolute, a CNAME's target with its trailing dot, a CAA value as `0 issue "letsencrypt.org"`. */
export interface DnsRecord {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'CAA';
  readonly value: string;
  /** Records any of which does as well in its place. */
  readonly alternatives: readonly Pick<DnsRecord, 'type' | 'value'>[];
  /** False: right only with the CDN's proxy off for it; null: does not apply. */
  readonly proxied: false | null;
}

/** The records that somebody has to set and to remove so that a name leads here. */
export interface DnsRecordChanges {
  readonly set: readonly DnsRecord[];
  readonly remove: readonly DnsRecord[];
  /** What would be right for a name of which nobody can say whether it is. */
  readonly unsure: readonly DnsRecord[];
}

/**
 * `here`: every address is one that we expect. `proxied`: the addresses are a CDN's, and HTTP through the name reaches the web
 * application. `elsewhere`: an A record leads somewhere else. `leftover`: A is right, an AAAA leads somewhere else. `missing`: no
 * such name, or no address. `forbidden`: a CAA record forbids Let's Encrypt. `unknown`: DNS could not be asked; says nothing.
 * `unchecked`: an address is not ours, and whether HTTP through it reaches us could not be found out. `cdn`: the addresses are a
 * known CDN's, and nobody has seen HTTP through them reach the web application.
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
  /** What was found, and the remedy: the same one as in `changes`. */
  readonly sentence: string;
  /** What could not be judged of a name that looks right otherwise: it is a suspect where an order fails. */
  readonly doubt?: string | undefined;
  /** The addresses that the name should have. */
  readonly expected: readonly string[];
  readonly observed: DnsRecords;
  /** Undefined where no record has to change. */
  readonly changes?: DnsRecordChanges | undefined;
}

/** Let's Encrypt reaches us through this name. */
export const leadsHere = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  verdict === 'here' || verdict === 'proxied';

/** Its DNS is wrong, or leads to a server of which nobody knows whether it hands on to us. */
export const mayBeWrong = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  !leadsHere({ verdict }) && verdict !== 'unknown';

/** Let's Encrypt would not validate this name. What could not be queried or checked is not called wrong. */
export const isWrong = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  mayBeWrong({ verdict }) && verdict !== 'unchecked';

/** The same beyond doubt, enough to detach a domain for it. HTTP may still reach us through a CDN's proxy. */
export const isSurelyWrong = ({ verdict }: Pick<DnsFinding, 'verdict'>): boolean =>
  isWrong({ verdict }) && verdict !== 'cdn';

/** What a server showed of its certificate. Times in milliseconds since the epoch. */
export interface ServedCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** DNS names of the subjectAltName, wildcards as they stand; in a finding those of the name's own site alone. */
  readonly names: readonly string[];
  /** How many names it holds besides: other sites' are not kept, and the list is cut, since anybody's server may be asked. */
  readonly moreNames?: number | undefined;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** `unknown`: no handshake came about; says nothing about the certificate. */
export type TlsVerdict = 'covers' | 'wrong-name' | 'expired' | 'not-yet-valid' | 'untrusted' | 'unknown';

export interface TlsFinding {
  readonly name: string;
  readonly verdict: TlsVerdict;
  readonly sentence: string;
  /** Where it was asked for: `203.0.113.7:443`. */
  readonly address: string;
  readonly certificate?: ServedCertificate | undefined;
  /** Status of `HEAD /` over the same connection, where an answer came in time. */
  readonly httpStatus?: number | undefined;
}

/** `out-of-reach`: none of the zone's name servers is of a provider that RunCloud's DNS integrations can write to. */
export interface ZoneFinding {
  readonly name: string;
  readonly verdict: 'within-reach' | 'out-of-reach' | 'unknown';
  readonly sentence: string;
}
