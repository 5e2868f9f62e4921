// The interface of both clients, over HTTP and through the queue, with its arguments and results.
// Plain types: the HTTP client needs no library for them. A test compares them with the schemas
// that check the requests.
import type { DomainsError, ErrorCode } from '../errors.ts';

export interface Target {
  /** RunCloud's id of the server. Default: the configured one. */
  readonly serverId?: number | string | undefined;
  /** RunCloud's id of the web application. Default: the configured one. */
  readonly appId?: number | string | undefined;
  /** On whose behalf, in your own words: a host name, a person. At most 100 characters. */
  readonly requestedBy?: string | undefined;
}

export interface RemoveDomainPayload extends Target {
  /** Unicode names are converted to ASCII. */
  readonly domain: string;
  /** The site that the domain belongs to, for your own reference. */
  readonly siteId?: string | number | undefined;
}

export interface AddDomainPayload extends RemoveDomainPayload {
  /**
   * Include the www name. Default: `auto`, which includes it for a registrable domain, not for a
   * subdomain.
   */
  readonly www?: 'auto' | boolean | undefined;
  /** The name that visitors are redirected to. Default: `non-www` with www, else `none`. */
  readonly redirection?: 'none' | 'www' | 'non-www' | undefined;
  /**
   * True: add it to this web application even if another one has the domain. The HTTP API refuses
   * such a request without `appId` (`on-another-application`). The queue client does not check
   * this.
   */
  readonly also?: boolean | undefined;
}

export interface RedeploySslPayload extends Target {
  /** With advanced SSL: redeploy only this domain's certificate. Default: all. */
  readonly domain?: string | undefined;
}

export interface RequestOptions {
  /** Part of a bulk import: other requests go first. */
  readonly bulk?: boolean | undefined;
}

/** The request is stored. It is not finished yet. */
export interface Receipt {
  readonly jobId: string;
  /** True: the same request was already queued, as this job. */
  readonly coalesced: boolean;
  /** In ASCII; undefined for a redeploy of all domains. */
  readonly domain: string | undefined;
  /** The web application of the request. */
  readonly serverId: number;
  readonly appId: number;
  /** Unknown fields of the payload, which were ignored. */
  readonly unknownFields: readonly string[];
  /** A note for the caller: www is not included, since somebody requested it separately. */
  readonly remark?: string | undefined;
}

/** The result of one request of many. */
export type AddResult =
  | { readonly accepted: true; readonly receipt: Receipt }
  | { readonly accepted: false; readonly error: DomainsError };

/**
 * Every method rejects with a DomainsError. Its `code` is the same over both transports:
 * `invalid-domain`, `invalid-payload`, `no-web-application`, `host-name-taken`,
 * `redis-unavailable`, `redis-no-permission`. Sending the same request again is always harmless.
 */
export interface DomainsClient {
  /** Attaches the domain and gets a certificate for it. */
  addDomain(payload: AddDomainPayload, options?: RequestOptions): Promise<Receipt>;
  /**
   * Any number, as a bulk import. One result per domain, in the same order. Does not reject for a
   * refused one.
   */
  addDomains(payloads: readonly AddDomainPayload[]): Promise<AddResult[]>;
  /** Detaches the domain. */
  removeDomain(payload: RemoveDomainPayload, options?: RequestOptions): Promise<Receipt>;
  /** Reissues the certificate. */
  redeploySsl(payload?: RedeploySslPayload): Promise<Receipt>;
  /** Ends all connections. Call it when the program stops. */
  close(): Promise<void>;
}

export type { DomainsError, ErrorCode };
