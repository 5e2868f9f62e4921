// What the rest of the program sees of the environment. Types only.
import type { DnsGate, LogFormat, LogLevel } from './kinds.ts';
import type { HostAndPort } from './network-kinds.ts';

/** `token`: sent as Bearer. `key`: a key pair, sent as HTTP Basic; API v2 only. */
export type RunCloudCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'key'; readonly key: string; readonly secret: string };

export interface RunCloudConfig {
  /** Base of all routes, with its version, without a trailing slash: `https://manage.runcloud.io/api/v3`. */
  readonly url: string;
  readonly version: 2 | 3;
  /** Undefined on a producer, which needs Redis only; see `requireCredentials`. */
  readonly credentials: RunCloudCredentials | undefined;
  readonly serverId?: number | undefined;
  readonly appId?: number | undefined;
  readonly timeoutMs: number;
  readonly ratePerMinute: number;
  readonly pauseMs: number;
}

export interface DnsConfig {
  readonly gate: DnsGate;
  /** `ip`, `ip:port` or `[v6]:port`; undefined: the system's. */
  readonly servers: readonly string[] | undefined;
  /** Addresses besides the server's own. */
  readonly expectedIps: readonly string[];
  /** Holds `{domain}`; its fragment is the text that the reply must hold. */
  readonly probeUrl: string | undefined;
  readonly deadlineMs: number;
}

export interface TlsConfig {
  readonly probe: boolean;
  /** Undefined: the server's own address, port 443. */
  readonly address: HostAndPort | undefined;
  readonly caFile: string | undefined;
}

export interface SslConfig {
  readonly redeployDelayMs: number;
  /** How long after a redeploy a name may stay uncovered. */
  readonly deadlineMs: number;
  readonly install: 'off' | 'letsencrypt';
  readonly environment: 'live' | 'staging';
  readonly challenge: 'http-01' | 'dns-01';
  /** Set where the challenge is `dns-01`. */
  readonly dnsIntegration: number | undefined;
  readonly reissue: 'off' | 'reinstall';
  readonly switchToHttp01: boolean;
  readonly invalidNames: 'hold' | 'detach' | 'proceed';
  readonly cooldownMs: number;
}

/** What may be ordered of Let's Encrypt. */
export interface LimitsConfig {
  readonly certificatesPerWeek: number;
  readonly duplicatesPerWeek: number;
  readonly ordersPer3Hours: number;
  readonly failuresPerHour: number;
}

/** What an API token may do: `enqueue` asks, `read` looks, `operate` does both, and steers. */
export type ApiRole = 'enqueue' | 'read' | 'operate';

/** A token that the HTTP API knows; the token itself is nowhere stored. */
export interface ApiToken {
  readonly name: string;
  readonly role: ApiRole;
  /** SHA-256 of the token, in hex. */
  readonly hash: string;
}

export type BoardRole = 'viewer' | 'operator';

/** Who may log in at the board. `hash`: `scrypt$N$r$p$salt$key`, base64url. */
export interface BoardUser {
  readonly name: string;
  readonly role: BoardRole;
  readonly hash: string;
}

export interface ServerConfig {
  readonly host: string;
  readonly port: number;
  /** Below which a proxy shows it: `/domains`, or ''. */
  readonly path: string;
  readonly tokens: readonly ApiToken[];
  readonly boardUsers: readonly BoardUser[];
  /** How long a login at the board lasts without being used. */
  readonly sessionMs: number;
  /** Behind a proxy that ends TLS and sets X-Forwarded-*: cookies are Secure. */
  readonly trustProxy: boolean;
  /** Requests per token and minute. */
  readonly ratePerMinute: number;
}

export interface CallbackConfig {
  readonly urls: readonly string[];
  /** Standard Webhooks secrets (`whsec_…`): the first signs first; all sign, so that they can be rotated. */
  readonly secrets: readonly string[];
}

/** Deep-frozen. */
export interface Config {
  readonly redisUrl: string;
  /** PEM; undefined: the usual authorities. */
  readonly redisCaFile?: string | undefined;
  readonly queuePrefix: string;
  readonly runcloud: RunCloudConfig;
  readonly worker: {
    readonly concurrency: number;
    readonly shutdownTimeoutMs: number;
    readonly reconcileIntervalMs: number;
    /** Health and metrics of a worker; undefined: no port. */
    readonly address: HostAndPort | undefined;
  };
  /** The top-level domains under which domains are taken. */
  readonly topLevelDomains: 'public' | 'test' | 'any';
  readonly jobs: { readonly attempts: number; readonly backoffMs: number; readonly backoffMaxMs: number };
  readonly dns: DnsConfig;
  readonly tls: TlsConfig;
  readonly ssl: SslConfig;
  readonly limits: LimitsConfig;
  readonly watch: { readonly intervalMs: number; readonly repair: boolean };
  readonly server: ServerConfig;
  readonly callbacks: CallbackConfig;
  /** Where traces go (OTLP over HTTP); undefined: nowhere. */
  readonly otlpEndpoint: string | undefined;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** The wp-config.php that was read, where WP_CONFIG names one. */
  readonly wpConfigPath?: string | undefined;
}
