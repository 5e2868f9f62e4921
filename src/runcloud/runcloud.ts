// RunCloud's vocabulary as the rest of the program sees it: one shape for API v2 and v3. Types
// only, no I/O.

/** A web application on a server, by RunCloud's numeric ids. */
export interface WebApplication {
  readonly serverId: number;
  readonly appId: number;
}

export type Redirection = 'none' | 'www' | 'non-www';

/** A domain of a web application. Fields that the API version does not send are undefined. */
export interface AttachedDomain {
  readonly id: number;
  /** As RunCloud returned it, in A-labels, in lower case, without a trailing dot. */
  readonly name: string;
  readonly type: 'alias' | 'primary' | 'redirect' | undefined;
  readonly www: boolean | undefined;
  readonly redirection: Redirection | undefined;
}

/** The settings of a domain. */
export interface DomainSettings {
  readonly www: boolean;
  readonly redirection: Redirection;
}

export interface NewDomain extends DomainSettings {
  readonly name: string;
}

/** Basic: one certificate for the web application. Advanced: one per domain. */
export interface SslMode {
  readonly advanced: boolean;
  readonly autoSsl: boolean;
}

/** A certificate in RunCloud. Its key pair is never read. */
export interface Certificate {
  readonly id: number;
  readonly method: string | undefined;
  /** As RunCloud wrote it. The format is not documented. */
  readonly validUntil: string | undefined;
  /**
   * How Let's Encrypt validates its names: `http-01`, or `dns-01` through the DNS integration
   * `apiId`. RunCloud keeps both when DNS moves.
   */
  readonly authorizationMethod?: string | undefined;
  readonly apiId?: number | undefined;
  /** A change of the method must send these too, or may reset them. */
  readonly enableHttp?: boolean | undefined;
  readonly enableHsts?: boolean | undefined;
  readonly sslProtocolId?: number | undefined;
}

/** A certificate and its domain; undefined: the web application's. */
export interface ListedCertificate {
  readonly domainName: string | undefined;
  readonly certificate: Certificate;
}

/** A line of a web application's activity log. */
export interface LogEntry {
  /** `Info`, `Warning`, `High Priority Info` are known. */
  readonly kind: string | undefined;
  /** One line of at most 300 characters, without secrets. It may name any domain. */
  readonly content: string;
  /** In milliseconds since the epoch, by RunCloud's clock. Undefined: unreadable. */
  readonly at: number | undefined;
}

/** The order of a new Let's Encrypt certificate. */
export interface InstallSettings {
  /** No browser trusts staging certificates. Let's Encrypt has other limits for them. */
  readonly environment: 'live' | 'staging';
  readonly challenge: 'http-01' | 'dns-01';
  /** RunCloud's id of a DNS integration. For dns-01 only, which RunCloud rejects without it. */
  readonly dnsIntegration?: number | undefined;
  /** One domain's certificate: the current AutoSSL flag, which may be the web application's. */
  readonly autoSsl?: boolean | undefined;
}

export interface ServerFacts {
  readonly id: number;
  readonly name: string | undefined;
  readonly ipAddress: string | undefined;
  readonly online: boolean | undefined;
}

export interface WebApplicationFacts {
  readonly id: number;
  readonly name: string | undefined;
}

/**
 * One HTTP exchange, for logs and metrics. `status` is undefined if no reply came. `operation` is
 * the method's name below.
 */
export interface ApiCall {
  readonly operation: string;
  readonly method: string;
  /** Path below the API version, without query: `/servers/1903/webapps/646/domains`. */
  readonly path: string;
  readonly status: number | undefined;
  readonly durationMs: number;
}

/** What the HTTP layer calls before and after each call; src/rate-limit/ has the real one. */
export interface CallLimiter {
  /**
   * Resolves when a call may start. Rejects when `signal` aborts. `fingerprint` identifies the
   * credentials.
   */
  acquire(
    fingerprint: string,
    signal?: AbortSignal,
    onUnavailable?: CallOptions['onUnavailable'],
  ): Promise<void>;
  report(report: CallReport): Promise<CallReport['result']>;
}

/** The result of one call. */
export interface CallReport {
  /**
   * `ok`: RunCloud answered. `outage`: 5xx, no answer of its own, no connection. `throttled`: 429.
   * `credentials`, `account`: RunCloud refused them, whatever the call.
   */
  readonly result: 'ok' | 'outage' | 'throttled' | 'credentials' | 'account';
  readonly fingerprint: string;
  /** For `throttled`: how long to wait, if RunCloud sent it. */
  readonly retryAfterMs?: number | undefined;
  /** For `throttled`, `credentials` and `account`: RunCloud's message. */
  readonly why?: string | undefined;
  /** X-RateLimit-Limit and -Remaining, if sent ([D] runcloud.io/docs/api/v2). */
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
}

/** For each call: how to stop it, and who is notified of it. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onCall?: ((call: ApiCall) => void) | undefined;
  /** Called when a shared read that another caller started has made progress. */
  readonly onProgress?: (() => void) | undefined;
  /** Called right before a write. False: the lease is over, or the desired state has changed. */
  readonly mayWrite?: (() => Promise<boolean>) | undefined;
  /** Ends the wait for the rate limiter, but no running call: the worker is stopping. */
  readonly waitSignal?: AbortSignal | undefined;
  /** Called once for each reason why the call must wait, except for the rate. */
  readonly onUnavailable?:
    | ((reason: { readonly kind: string; readonly sentence: string }) => void)
    | undefined;
}

/**
 * RunCloud's API. Every method throws the errors of runcloud/errors.ts and never retries.
 * Source of routes and fields: RunCloud's documents and SDK, see docs/reference/runcloud-api.md.
 */
export interface RunCloud {
  /** Resolves when the credentials are accepted. */
  ping(options?: CallOptions): Promise<void>;
  getServer(serverId: number, options?: CallOptions): Promise<ServerFacts>;
  getWebApplication(app: WebApplication, options?: CallOptions): Promise<WebApplicationFacts>;
  /** All pages, in RunCloud's order. */
  listDomains(app: WebApplication, options?: CallOptions): Promise<AttachedDomain[]>;
  /** The domain in the reply. Undefined: the reply (2xx) does not name it, so read the list. */
  attachDomain(
    app: WebApplication,
    domain: NewDomain,
    options?: CallOptions,
  ): Promise<AttachedDomain | undefined>;
  /**
   * Changes its www name and redirection, and keeps its type. True: the reply confirms it (a
   * message, or the domain). False: it does not, so read the list. `NotFoundError`: the domain is
   * gone, or the API has no such route (v2, as far as known).
   */
  changeDomain(
    app: WebApplication,
    domain: AttachedDomain,
    settings: DomainSettings,
    options?: CallOptions,
  ): Promise<boolean>;
  /** True: the reply names the deleted domain. False: it does not, so read the list. */
  detachDomain(app: WebApplication, domain: AttachedDomain, options?: CallOptions): Promise<boolean>;
  /** One page of the log, at or after `since` (milliseconds since the epoch), the newest first. */
  readLog(app: WebApplication, since: number, options?: CallOptions): Promise<LogEntry[]>;
  getSslMode(app: WebApplication, options?: CallOptions): Promise<SslMode>;
  /** Basic SSL: the web application's certificate. Undefined: none is installed. */
  getCertificate(app: WebApplication, options?: CallOptions): Promise<Certificate | undefined>;
  /** All certificates that RunCloud lists for the web application, in either mode. */
  listCertificates(app: WebApplication, options?: CallOptions): Promise<ListedCertificate[]>;
  /**
   * This and the five other writes for certificates: accepted is not issued, whatever the status.
   * To get the new certificate or its id, read it afterwards. RunCloud may reject (`RejectedError`)
   * or replace an existing one.
   */
  installCertificate(app: WebApplication, settings: InstallSettings, options?: CallOptions): Promise<void>;
  redeployCertificate(app: WebApplication, certificate: Certificate, options?: CallOptions): Promise<void>;
  /** Ends TLS until another is installed. `NotFoundError`: it may be gone already. */
  removeCertificate(app: WebApplication, certificate: Certificate, options?: CallOptions): Promise<void>;
  /** Advanced SSL: one domain's certificate. Undefined: none is installed. */
  getDomainCertificate(
    app: WebApplication,
    domain: AttachedDomain,
    options?: CallOptions,
  ): Promise<Certificate | undefined>;
  installDomainCertificate(
    app: WebApplication,
    domain: AttachedDomain,
    settings: InstallSettings,
    options?: CallOptions,
  ): Promise<void>;
  redeployDomainCertificate(
    app: WebApplication,
    domain: AttachedDomain,
    certificate: Certificate,
    options?: CallOptions,
  ): Promise<void>;
  removeDomainCertificate(
    app: WebApplication,
    domain: AttachedDomain,
    certificate: Certificate,
    options?: CallOptions,
  ): Promise<void>;
  /**
   * Advanced SSL: the next orders validate by http-01. Orders nothing. RunCloud may accept it and
   * change nothing, so read the certificate again.
   */
  switchDomainToHttp01(
    app: WebApplication,
    domain: AttachedDomain,
    certificate: Certificate,
    options?: CallOptions,
  ): Promise<void>;
}
