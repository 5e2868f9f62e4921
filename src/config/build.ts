// From checked values to the Config: the facts that concern more than one variable. Pure.
import { toHttps } from './build-https.ts';
import { checkCallbacks, outdatedUsers, toServer } from './build-server.ts';
import type { Config, RunCloudConfig, RunCloudCredentials } from './shape.ts';
import { isLoopback } from './url-kinds.ts';
import { runcloudUrls, type Values, type VariableName, variables } from './variables.ts';

/** What the values say together: the part of the Config, and sentences about what is wrong or was ignored. */
interface Checked<T> {
  readonly value: T;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

const ok = <T>(value: T, ...warnings: string[]): Checked<T> => ({ value, problems: [], warnings });
const wrong = (...problems: string[]): Checked<undefined> => ({ value: undefined, problems, warnings: [] });

/** "example: NAME=value", as it ends every problem. */
export const exampleOf = (...names: VariableName[]): string =>
  `example: ${names.map((name) => `${name}=${variables[name].example}`).join(' ')}`;

type Pair = Extract<RunCloudCredentials, { kind: 'key' }>;

function keyPair(values: Values): Pair | undefined {
  const { RUNCLOUD_API_KEY: key, RUNCLOUD_API_SECRET: secret } = values;
  return key !== undefined && secret !== undefined ? { kind: 'key', key, secret } : undefined;
}

const missing = (absent: VariableName, present: VariableName): string =>
  `${absent} is missing: ${present} is set, and the two only work together; ${exampleOf(absent)}`;

function checkPair(values: Values): Checked<Pair | undefined> {
  const pair = keyPair(values);
  if (pair && values.RUNCLOUD_API_URL?.version === 3)
    return wrong(
      `RUNCLOUD_API_URL names API v3, which takes no key pair: set RUNCLOUD_API_TOKEN, or leave RUNCLOUD_API_URL out; ${exampleOf('RUNCLOUD_API_TOKEN')}`,
    );
  if (pair === undefined && values.RUNCLOUD_API_KEY !== undefined)
    return wrong(missing('RUNCLOUD_API_SECRET', 'RUNCLOUD_API_KEY'));
  if (pair === undefined && values.RUNCLOUD_API_SECRET !== undefined)
    return wrong(missing('RUNCLOUD_API_KEY', 'RUNCLOUD_API_SECRET'));
  return ok(pair);
}

/** v2 takes both; where both are given, the pair is what v2 was set up with (runcloud.io/docs/api/v2). */
function checkCredentials(values: Values): Checked<RunCloudCredentials | undefined> {
  const token = values.RUNCLOUD_API_TOKEN;
  if (token === undefined) return checkPair(values);
  const pair = keyPair(values);
  if (pair && values.RUNCLOUD_API_URL?.version === 2)
    return ok(
      pair,
      'RUNCLOUD_API_TOKEN is ignored: RUNCLOUD_API_URL names API v2, and the key pair is used for it',
    );
  const unused = values.RUNCLOUD_API_KEY !== undefined || values.RUNCLOUD_API_SECRET !== undefined;
  const warnings = unused
    ? ['RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET are ignored: RUNCLOUD_API_TOKEN is used']
    : [];
  return ok({ kind: 'token', token }, ...warnings);
}

/** A file that nothing reads would let an operator believe that the connection is safe. */
const checkRedisCa = ({ REDIS_URL, REDIS_CA_FILE }: Values): string[] =>
  REDIS_CA_FILE !== undefined && REDIS_URL.startsWith('redis:')
    ? [
        `REDIS_CA_FILE is set, but REDIS_URL begins with redis://, which has no TLS: write rediss://, or take REDIS_CA_FILE away; ${exampleOf('REDIS_URL')}`,
      ]
    : [];

function checkBackoff(values: Values): string[] {
  const { JOB_BACKOFF_MS: first, JOB_BACKOFF_MAX_MS: longest } = values;
  const names = exampleOf('JOB_BACKOFF_MS', 'JOB_BACKOFF_MAX_MS');
  return longest < first
    ? [`JOB_BACKOFF_MAX_MS must not be below JOB_BACKOFF_MS (${first}), got "${longest}"; ${names}`]
    : [];
}

/** RunCloud takes `dns-01` with the id of an integration only (docs/reference/runcloud-api.md). */
function checkChallenge({ SSL_CHALLENGE, SSL_DNS_INTEGRATION }: Values): string[] {
  if (SSL_CHALLENGE !== 'dns-01' || SSL_DNS_INTEGRATION !== undefined) return [];
  const example = exampleOf('SSL_DNS_INTEGRATION');
  return [`SSL_DNS_INTEGRATION is missing: SSL_CHALLENGE is dns-01, which needs it; ${example}`];
}

function toRunCloud(values: Values, credentials: RunCloudCredentials | undefined): RunCloudConfig {
  const version = values.RUNCLOUD_API_URL?.version ?? (credentials?.kind === 'key' ? 2 : 3);
  return {
    url: values.RUNCLOUD_API_URL?.url ?? runcloudUrls[version],
    version,
    credentials,
    serverId: values.RUNCLOUD_SERVER_ID,
    appId: values.RUNCLOUD_APP_ID,
    timeoutMs: values.RUNCLOUD_TIMEOUT_MS,
    ratePerMinute: values.RUNCLOUD_RATE_PER_MINUTE,
    pauseMs: values.RUNCLOUD_PAUSE_MS,
  };
}

/** RunCloud itself is on no loopback address. */
const isStandIn = ({ RUNCLOUD_API_URL: base }: Values): boolean =>
  base !== undefined && isLoopback(new URL(base.url).hostname);

/**
 * The Config that `values` describe, not yet frozen. Checks that involve one of the `broken` variables are left out:
 * their own problem has been told already.
 */
export function build(values: Values, broken: ReadonlySet<VariableName>, isTty: boolean): Checked<Config> {
  const credentialNames = [
    'RUNCLOUD_API_TOKEN',
    'RUNCLOUD_API_KEY',
    'RUNCLOUD_API_SECRET',
    'RUNCLOUD_API_URL',
  ] as const;
  const { value: credentials, ...told } = credentialNames.some((name) => broken.has(name))
    ? ok(undefined)
    : checkCredentials(values);
  const backoff =
    broken.has('JOB_BACKOFF_MS') || broken.has('JOB_BACKOFF_MAX_MS') ? [] : checkBackoff(values);
  const challenge = broken.has('SSL_DNS_INTEGRATION') ? [] : checkChallenge(values);
  const redis = broken.has('REDIS_URL') ? [] : checkRedisCa(values);
  const callbacks = broken.has('CALLBACK_SECRETS') ? [] : checkCallbacks(values);
  const value: Config = {
    redisUrl: values.REDIS_URL,
    redisCaFile: values.REDIS_CA_FILE,
    queuePrefix: values.QUEUE_PREFIX,
    runcloud: toRunCloud(values, credentials),
    worker: {
      concurrency: values.WORKER_CONCURRENCY,
      shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
      reconcileIntervalMs: values.RECONCILE_INTERVAL_MS,
      address: values.WORKER_ADDRESS,
    },
    jobs: {
      attempts: values.JOB_ATTEMPTS,
      backoffMs: values.JOB_BACKOFF_MS,
      backoffMaxMs: values.JOB_BACKOFF_MAX_MS,
    },
    topLevelDomains: values.TOP_LEVEL_DOMAINS ?? (isStandIn(values) ? 'test' : 'public'),
    ...toHttps(values),
    ...toServer(values),
    log: { level: values.LOG_LEVEL, format: values.LOG_FORMAT ?? (isTty ? 'pretty' : 'json') },
    wpConfigPath: values.WP_CONFIG,
  };
  return {
    value,
    problems: [...redis, ...told.problems, ...backoff, ...challenge, ...callbacks],
    warnings: [...told.warnings, ...outdatedUsers(values)],
  };
}
