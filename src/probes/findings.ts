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

/**
 * `here`: every address is one that we expect. `proxied`: the addresses are a CDN's, and HTTP through the name reaches the web
 * application. `elsewhere`: an A record leads somewhere else. `leftover`: A is right, an AAAA leads somewhere else. `missing`: no
 * such name, or no address. `forbidden`: a CAA record forbids Let's Encrypt. `unknown`: DNS could not be asked; says nothing.
 * `unchecked`: an address is not ours, and whether HTTP through it reaches us could not be found out.
 */
export type DnsVerdict =
  | 'here'
  | 'proxied'
  | 'elsewhere'
  | 'leftover'
  | 'missing'
  | 'forbidden'
  | 'unchecked'
  | 'unknown';

export interface DnsFinding {
  readonly name: string;
  readonly verdict: DnsVerdict;
  readonly sentence: string;
  /** The addresses that the name should have. */
  readonly expected: readonly string[];
  readonly seen: DnsRecords;
}

/** What a server showed of its certificate. Times in milliseconds since the epoch. */
export interface ServedCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** DNS names of the subjectAltName, wildcards as they stand. */
  readonly names: readonly string[];
  /** How many names it holds besides: the list is cut, since anybody's server may be asked. */
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
