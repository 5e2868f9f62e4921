// RunCloud's vocabulary as the rest of the program sees it: one shape for API v2 and v3. Types only, no I/O.

/** A web application on a server, by RunCloud's numeric ids. */
export interface WebApplication {
  readonly serverId: number;
  readonly appId: number;
}

export type Redirection = 'none' | 'www' | 'non-www';

/** A domain as attached to a web application. Fields that the API version does not send are undefined. */
export interface AttachedDomain {
  readonly id: number;
  /** As RunCloud returned it, in A-labels, lower-cased, without a trailing dot. */
  readonly name: string;
  readonly type: 'alias' | 'primary' | 'redirect' | undefined;
  readonly www: boolean | undefined;
  readonly redirection: Redirection | undefined;
}

/** What can be chosen of a domain. */
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

/** A certificate as RunCloud knows it; the key pair itself is never parsed in. */
export interface Certificate {
  readonly id: number;
  readonly method: string | undefined;
  /** As RunCloud wrote it; the format is not documented. */
  readonly validUntil: string | undefined;
  /** How Let's Encrypt validates its names: `http-01`, or `dns-01` through the DNS integration `apiId`. RunCloud keeps both when DNS moves. */
  readonly authorizationMethod?: string | undefined;
  readonly apiId?: number | undefined;
  /** What a change of the method has to send along, or else may reset. */
  readonly enableHttp?: boolean | undefined;
  readonly enableHsts?: boolean | undefined;
  readonly sslProtocolId?: number | undefined;
}

/** A certificate, and whose it is: one domain's row, or (undefined) the web application's. */
export interface ListedCertificate {
  readonly domainName: string | undefined;
  readonly certificate: Certificate;
}

/** A line of a web application's activity log. */
export interface LogEntry {
  /** `Info`, `Warning`, `High Priority Info` are known. */
  readonly kind: string | undefined;
  /** One line of at most 300 characters, without secrets. It may name any domain of the web application. */
  readonly content: string;
  /** In milliseconds since the epoch, by RunCloud's clock and to the second; undefined where it cannot be read. */
  readonly at: number | undefined;
}

/** How a new Let's Encrypt certificate is asked for. */
export interface InstallSettings {
  /** Staging certificates are trusted by nobody, and have limits of their own at Let's Encrypt. */
  readonly environment: 'live' | 'staging';
  readonly challenge: 'http-01' | 'dns-01';
  /** RunCloud's id of a DNS integration; looked at for dns-01 only, which RunCloud refuses without it. */
  readonly dnsIntegration?: number | undefined;
  /** One domain's certificate: AutoSSL as it stands, since nobody knows whether the flag speaks for the web application. */
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
 * One HTTP exchange, reported to whoever counts calls (log lines, metrics, the demo).
 * `status` is undefined where no reply came. `operation` is the method's name below.
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
  /** Resolves when a call may go out; rejects when `signal` aborts. `fingerprint` names the credentials. */
  enter(
    fingerprint: string,
    signal?: AbortSignal,
    onUnavailable?: CallOptions['onUnavailable'],
  ): Promise<void>;
  report(report: CallReport): Promise<CallReport['result']>;
}

/** What came of one call. */
export interface CallReport {
  /**
   * `ok`: RunCloud answered. `outage`: 5xx, no answer of its own, no connection. `throttled`: 429.
   * `credentials`, `account`: RunCloud refused them, whatever the call.
   */
  readonly result: 'ok' | 'outage' | 'throttled' | 'credentials' | 'account';
  readonly fingerprint: string;
  /** For `throttled`: how long, as RunCloud said, if it said. */
  readonly retryAfterMs?: number | undefined;
  /** For `throttled`, `credentials` and `account`: RunCloud's words. */
  readonly why?: string | undefined;
  /** X-RateLimit-Limit and -Remaining, where sent ([D] runcloud.io/docs/api/v2). */
  readonly limit?: number | undefined;
  readonly remaining?: number | undefined;
}

/** What a caller hands to each call: how to stop it, and who wants to know about it. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onCall?: ((call: ApiCall) => void) | undefined;
  /** Told when a call of somebody else's has come back whose reading is shared. */
  readonly onMoved?: (() => void) | undefined;
  /** Asked right before a write goes out: false where the right to write has run out, or somebody wants something else. */
  readonly mayWrite?: (() => Promise<boolean>) | undefined;
  /** Ends the wait for the rate limiter, but no call that is under way: the worker is stopping. */
  readonly patience?: AbortSignal | undefined;
  /** Called when RunCloud is unavailable and the call has to wait; once for each reason, not for the rate. */
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
  /** The domain as the reply names it; undefined where the reply (2xx) does not name it: look at the list then. */
  attachDomain(
    app: WebApplication,
    domain: NewDomain,
    options?: CallOptions,
  ): Promise<AttachedDomain | undefined>;
  /**
   * Its www name and redirection, with its type as it stands. True where the reply says that it was done (a message, or the domain so);
   * false where it says nothing: look at the list then. `NotFoundError`: it is gone, or the API has no such route (v2, as far as is known).
   */
  changeDomain(
    app: WebApplication,
    domain: AttachedDomain,
    settings: DomainSettings,
    options?: CallOptions,
  ): Promise<boolean>;
  /** True where the reply names the deleted domain; false where it does not: look at the list then. */
  detachDomain(app: WebApplication, domain: AttachedDomain, options?: CallOptions): Promise<boolean>;
  /** One page of the activity log: what came at or after `since` (milliseconds since the epoch), the newest first. */
  readLog(app: WebApplication, since: number, options?: CallOptions): Promise<LogEntry[]>;
  getSslMode(app: WebApplication, options?: CallOptions): Promise<SslMode>;
  /** Basic SSL: the web application's certificate, or undefined where none is installed. */
  getCertificate(app: WebApplication, options?: CallOptions): Promise<Certificate | undefined>;
  /** All certificates that RunCloud lists for the web application, in either mode. */
  listCertificates(app: WebApplication, options?: CallOptions): Promise<ListedCertificate[]>;
  /**
   * This and the five other writes for certificates: accepted is not issued, whatever the status. Who needs the new
   * certificate (or its id) looks afterwards; over an existing one RunCloud may refuse (`RejectedError`) or replace it.
   */
  installCertificate(app: WebApplication, settings: InstallSettings, options?: CallOptions): Promise<void>;
  redeployCertificate(app: WebApplication, certificate: Certificate, options?: CallOptions): Promise<void>;
  /** Leaves the web application without TLS until another is installed. `NotFoundError`: gone already, perhaps. */
  removeCertificate(app: WebApplication, certificate: Certificate, options?: CallOptions): Promise<void>;
  /** Advanced SSL: one domain's certificate, or undefined where none is installed. */
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
   * Advanced SSL: has the certificate validated by http-01 from the next order on; orders nothing. RunCloud may accept it and change
   * nothing: who relies on it reads the certificate again.
   */
  switchDomainToHttp01(
    app: WebApplication,
    domain: AttachedDomain,
    certificate: Certificate,
    options?: CallOptions,
  ): Promise<void>;
}
