// The Config as people may see it, and the list of what they may not. Nothing here returns a secret except `secretsOf`.
import type { httpsVariables } from './https-variables.ts';
import { fromMs } from './kinds.ts';
import { fromHostAndPort } from './network-kinds.ts';
import type { serverVariables } from './server-variables.ts';
import type { Config } from './shape.ts';
import { type VariableName, variableNames, variables } from './variables.ts';

/** One line of the printed configuration; `value` is `***` for a secret and `-` for what is not set. */
export interface DescribedVariable {
  readonly name: VariableName;
  readonly value: string;
}

const mask = '***';

/** Paths that say no more than where a service usually is: none, a database of Redis, a version of RunCloud's API. */
const harmless = /^(?:\/\d{0,3}|(?:\/api)?\/v\d)?\/?$/;
const isPlace = (text: string): boolean => /^(?:\[[\da-f:.]+\]|[a-z\d.{}-]+)(?::\d{1,5})?$/i.test(text);

/**
 * An address without what may be a secret: of text that may be no valid URL at all, scheme, host and port stay, where it is sure that
 * they are these.
 */
function maskAddress(text: string): string {
  const scheme = /^[a-z][a-z\d+.-]{0,20}:\/\//i.exec(text)?.[0] ?? '';
  const [, authority = '', rest = ''] = /^([^/?#\\\s,]*)(.*)$/s.exec(text.slice(scheme.length)) ?? [];
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  // An "@" later on may end a password that holds "/", "?" or "#": then nothing before it is a host.
  if (!isPlace(place) || rest.includes('@') || (scheme === '' && place === authority))
    return `${scheme}${mask}`;
  const user = place === authority ? '' : `${mask}@`;
  return `${scheme}${user}${place}${harmless.test(rest) ? rest : rest.replace(/^(\/?).*/s, `$1${mask}`)}`;
}

/** Variables that take an address, and every text that looks like one: it may stand under a wrong name. */
const isAddress = (name: VariableName, text: string): boolean =>
  variables[name].example.includes('://') || /:\/\/|@|\?/.test(text);

type Values = Record<VariableName, string | number | undefined>;

type HttpsName = keyof typeof httpsVariables;

const onOff = (value: boolean): string => (value ? 'on' : 'off');

const joined = (list: readonly string[] = []): string | undefined => list.join(',') || undefined;

const httpsValuesOf = ({ dns, tls, ssl, limits, watch }: Config): Pick<Values, HttpsName> => ({
  DNS_GATE: dns.gate,
  DNS_SERVERS: joined(dns.servers),
  EXPECTED_IPS: joined(dns.expectedIps),
  DNS_GATE_PROBE: dns.probeUrl,
  DNS_DEADLINE: fromMs(dns.deadlineMs),
  TLS_PROBE: onOff(tls.probe),
  TLS_PROBE_ADDRESS: tls.address && fromHostAndPort(tls.address),
  TLS_CA_FILE: tls.caFile,
  CERTIFICATE_DEADLINE: fromMs(ssl.deadlineMs),
  SSL_INSTALL: ssl.install,
  SSL_ENVIRONMENT: ssl.environment,
  SSL_CHALLENGE: ssl.challenge,
  SSL_DNS_INTEGRATION: ssl.dnsIntegration,
  SSL_REISSUE: ssl.reissue,
  SSL_SWITCH_TO_HTTP01: onOff(ssl.switchToHttp01),
  SSL_INVALID_NAMES: ssl.invalidNames,
  SSL_COOLDOWN: fromMs(ssl.cooldownMs),
  LE_CERTIFICATES_PER_WEEK: limits.certificatesPerWeek,
  LE_DUPLICATES_PER_WEEK: limits.duplicatesPerWeek,
  LE_ORDERS_PER_3H: limits.ordersPer3Hours,
  LE_FAILURES_PER_HOUR: limits.failuresPerHour,
  MONITOR_INTERVAL: fromMs(watch.intervalMs),
  MONITOR_REPAIR: onOff(watch.repair),
});

type ServerName = keyof typeof serverVariables;

const toEntry = ({ name, role, hash }: { name: string; role: string; hash: string }): string =>
  `${name}:${role}:${hash}`;

const serverValuesOf = ({ server, callbacks, worker, otlpEndpoint }: Config): Pick<Values, ServerName> => ({
  SERVER_HOST: server.host,
  SERVER_PATH: server.path || '/',
  SERVER_PORT: server.port,
  TRUST_PROXY: onOff(server.trustProxy),
  API_RATE_PER_MINUTE: server.ratePerMinute,
  WORKER_ADDRESS: worker.address && fromHostAndPort(worker.address),
  API_TOKENS: joined(server.tokens.map(toEntry)),
  BOARD_USERS: joined(server.boardUsers.map(toEntry)),
  BOARD_SESSION: fromMs(server.sessionMs),
  CALLBACK_URLS: joined(callbacks.urls),
  CALLBACK_SECRETS: joined(callbacks.secrets),
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
});

function valuesOf(config: Config): Values {
  const { runcloud, worker, jobs, ssl, log, ...rest } = config;
  const { credentials } = runcloud;
  return {
    REDIS_URL: rest.redisUrl,
    REDIS_CA_FILE: rest.redisCaFile,
    QUEUE_PREFIX: rest.queuePrefix,
    RUNCLOUD_API_TOKEN: credentials?.kind === 'token' ? credentials.token : undefined,
    RUNCLOUD_API_KEY: credentials?.kind === 'key' ? credentials.key : undefined,
    RUNCLOUD_API_SECRET: credentials?.kind === 'key' ? credentials.secret : undefined,
    RUNCLOUD_API_URL: runcloud.url,
    RUNCLOUD_SERVER_ID: runcloud.serverId,
    RUNCLOUD_APP_ID: runcloud.appId,
    RUNCLOUD_TIMEOUT_MS: runcloud.timeoutMs,
    RUNCLOUD_RATE_PER_MINUTE: runcloud.ratePerMinute,
    RUNCLOUD_PAUSE_MS: runcloud.pauseMs,
    WORKER_CONCURRENCY: worker.concurrency,
    JOB_ATTEMPTS: jobs.attempts,
    JOB_BACKOFF_MS: jobs.backoffMs,
    JOB_BACKOFF_MAX_MS: jobs.backoffMaxMs,
    TOP_LEVEL_DOMAINS: rest.topLevelDomains,
    SSL_REDEPLOY_DELAY_MS: ssl.redeployDelayMs,
    ...httpsValuesOf(config),
    ...serverValuesOf(config),
    RECONCILE_INTERVAL_MS: worker.reconcileIntervalMs,
    SHUTDOWN_TIMEOUT_MS: worker.shutdownTimeoutMs,
    LOG_LEVEL: log.level,
    LOG_FORMAT: log.format,
    WP_CONFIG: rest.wpConfigPath,
  };
}

/** How a variable's value may be shown, whether it parsed or not. */
const shown = (name: VariableName, value: string): string =>
  variables[name].secret ? mask : isAddress(name, value) ? maskAddress(value) : value;

const MAX_QUOTE = 80;

/** A value as a message repeats it: as it may be shown, and not at length. */
export function quoted(name: VariableName, value: string): string {
  const text = shown(name, value);
  return `"${text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE - 3)}...` : text}"`;
}

/** Every variable with the value that is in force; secrets, and what may be one in an address, as `***`. */
export function describeConfig(config: Config): DescribedVariable[] {
  const values = valuesOf(config);
  return variableNames.map((name) => {
    const value = values[name];
    return { name, value: value === undefined ? '-' : shown(name, String(value)) };
  });
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

function redisPasswords(redisUrl: string): string[] {
  const url = new URL(redisUrl);
  const passwords = [url.password, url.searchParams.get('password') ?? ''];
  return passwords.flatMap((password) => [password, decode(password)]);
}

function credentialSecrets({ credentials }: Config['runcloud']): string[] {
  if (credentials === undefined) return [];
  if (credentials.kind === 'token') return [credentials.token];
  const { key, secret } = credentials;
  return [key, secret, Buffer.from(`${key}:${secret}`).toString('base64')];
}

/** A token in the query of an address is as good as a password; what is shorter is likely to be a word. */
const queryTokens = (urls: readonly string[]): string[] =>
  urls.flatMap((url) => [...new URL(url).searchParams.values()]).filter(({ length }) => length >= 8);

// Hashes too: whoever holds one may try passwords against it, for as long as he likes.
const serverSecrets = ({ server, callbacks, otlpEndpoint = '' }: Config): string[] => [
  ...queryTokens([...callbacks.urls, ...(otlpEndpoint && [otlpEndpoint])]),
  ...[...server.tokens, ...server.boardUsers].map(({ hash }) => hash),
  ...callbacks.secrets.flatMap((secret) => [secret, secret.replace('whsec_', '')]),
];

/** Every text that must never be written anywhere, the Basic form of a key pair included. Hand it to the logger. */
export function secretsOf(config: Config): string[] {
  const all = [
    ...credentialSecrets(config.runcloud),
    ...redisPasswords(config.redisUrl),
    ...serverSecrets(config),
  ];
  return [...new Set(all.filter((secret) => secret !== ''))];
}
