// What an app server can do, over whichever transport: the one interface of both clients, and the shapes that go in and come out. Plain
// types, so that who only speaks HTTP needs no library for them; a test holds them to the schemas that check the requests.
import type { DomainsError, ErrorCode } from '../errors.ts';

export interface Target {
  /** RunCloud's id of the server. Default: the configured one. */
  readonly serverId?: number | string | undefined;
  /** RunCloud's id of the web application. Default: the configured one. */
  readonly appId?: number | string | undefined;
  /** For whom, in your own words: a host name, a person. At most 100 characters. */
  readonly requestedBy?: string | undefined;
}

export interface RemoveDomainPayload extends Target {
  /** Unicode is converted to its ASCII form. */
  readonly domain: string;
  /** The site that the domain belongs to, for your own reference. */
  readonly siteId?: string | number | undefined;
}

export interface AddDomainPayload extends RemoveDomainPayload {
  /** Attach the www name too. Default: `auto`, for a registrable domain, not for a subdomain. */
  readonly www?: 'auto' | boolean | undefined;
  /** Which of the two names redirects to the other. Default: `non-www` with www, else `none`. */
  readonly redirection?: 'none' | 'www' | 'non-www' | undefined;
  /**
   * True: on this web application as well, although another has the domain. The HTTP API refuses such a request where it names no
   * `appId` (`on-another-application`); through the queue nobody is asked.
   */
  readonly also?: boolean | undefined;
}

export interface RedeploySslPayload extends Target {
  /** Advanced SSL: redeploy only this domain's certificate. Default: all. */
  readonly domain?: string | undefined;
}

export interface RequestOptions {
  /** Part of a bulk import: everything else goes first. */
  readonly bulk?: boolean | undefined;
}

/** What a request is answered with: it is safe, which does not say that it is done. */
export interface Receipt {
  readonly jobId: string;
  /** The same request was on its way already, under this job. */
  readonly coalesced: boolean;
  /** In its ASCII form; undefined for a redeploy of all domains. */
  readonly domain: string | undefined;
  /** The web application that was meant. */
  readonly serverId: number;
  readonly appId: number;
  /** Fields of the payload that nobody knows; they were left out. */
  readonly unknownFields: readonly string[];
  /** What the caller should know besides, in a sentence: that www gave way to a record of its own. */
  readonly remark?: string | undefined;
}

/** What became of one request of many. */
export type AddResult =
  | { readonly accepted: true; readonly receipt: Receipt }
  | { readonly accepted: false; readonly error: DomainsError };

/**
 * Every method rejects with a DomainsError, whose `code` is the same over both transports: `invalid-domain`, `invalid-payload`,
 * `no-web-application`, `host-name-taken`, `redis-unavailable`, `redis-no-permission`. To send the same request again is always harmless.
 */
export interface DomainsClient {
  /** The domain shall be attached, and its certificate shall cover it. */
  addDomain(payload: AddDomainPayload, options?: RequestOptions): Promise<Receipt>;
  /** Any number of them, as a bulk import. One result for each, in their order; never rejects for what was refused. */
  addDomains(payloads: readonly AddDomainPayload[]): Promise<AddResult[]>;
  /** The domain shall be gone. */
  removeDomain(payload: RemoveDomainPayload, options?: RequestOptions): Promise<Receipt>;
  /** The certificate shall be issued anew. */
  redeploySsl(payload?: RedeploySslPayload): Promise<Receipt>;
  /** When the program stops. */
  close(): Promise<void>;
}

export type { DomainsError, ErrorCode };
