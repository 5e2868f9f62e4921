// The table of variables: one zod schema whose fields carry what people read about them. The documentation,
// .env.example, masked printing, errors and "did you mean" all derive from it; no fact about a variable stands elsewhere.
import * as z from 'zod';
import { httpsVariables } from './https-variables.ts';
import * as kinds from './kinds.ts';
import { serverVariables } from './server-variables.ts';
import * as urls from './url-kinds.ts';
import { facts, optional, secret, type Variable, withDefault } from './variable.ts';

export type { Variable } from './variable.ts';

/** RunCloud's own bases, by version (runcloud.io/docs/api/v3, runcloud.io/docs/api/v2). */
export const runcloudUrls = {
  2: 'https://manage.runcloud.io/api/v2',
  3: 'https://manage.runcloud.io/api/v3',
} as const;

export const environment = z.object({
  REDIS_URL: withDefault(urls.redisUrl, 'redis://127.0.0.1:6379', {
    description: 'The Redis that holds the queue; `rediss://` for TLS.',
    example: 'rediss://worker:password@redis.example.org:6380/0',
  }),
  REDIS_CA_FILE: optional(
    kinds.filePath,
    {
      description:
        "A PEM file of the private authorities that may sign Redis' certificate; only with `rediss://`. Redis is then trusted by this file alone, not by the usual authorities.",
      example: '/etc/ssl/redis-ca.pem',
    },
    'the usual ones',
  ),
  QUEUE_PREFIX: withDefault(kinds.queuePrefix, 'bull', {
    description:
      'First part of every key in Redis; the same in workers and producers. Braces for Redis Cluster.',
    example: '{bull}',
  }),
  RUNCLOUD_API_TOKEN: secret(kinds.token, {
    description:
      'Token of RunCloud API v3 (Workspace > Settings > API Management). A worker needs it, or a key pair; a producer does not.',
    example: '0123456789abcdef0123456789abcdef',
    aliases: ['WU_RUNCLOUD_API_TOKEN'],
  }),
  RUNCLOUD_API_KEY: secret(kinds.basicUser, {
    description: 'Key of the older API v2, together with RUNCLOUD_API_SECRET.',
    example: '0123456789abcdef',
    aliases: ['WU_RUNCLOUD_API_KEY'],
  }),
  RUNCLOUD_API_SECRET: secret(kinds.token, {
    description: 'Secret that belongs to RUNCLOUD_API_KEY.',
    example: 'fedcba9876543210',
    aliases: ['WU_RUNCLOUD_API_SECRET'],
  }),
  RUNCLOUD_API_URL: optional(
    urls.apiUrl,
    {
      description:
        'Base of the API; `/v2` or `/v3` at its end is the version that is spoken. `http://` for loopback only.',
      example: runcloudUrls[3],
    },
    `${runcloudUrls[3]}, or ${runcloudUrls[2]} with a key pair`,
  ),
  RUNCLOUD_SERVER_ID: optional(kinds.numericId, {
    description: 'Server of the web application, where a job does not name one.',
    example: '1903',
    aliases: ['WU_RUNCLOUD_SERVER_ID'],
  }),
  RUNCLOUD_APP_ID: optional(kinds.numericId, {
    description: 'Web application that gets the domains, where a job does not name one.',
    example: '646',
    aliases: ['WU_RUNCLOUD_APP_ID'],
  }),
  RUNCLOUD_TIMEOUT_MS: withDefault(kinds.milliseconds(100, 600_000), '60000', {
    description: 'How long one API call may take; after that its result counts as unknown.',
    example: '60000',
  }),
  RUNCLOUD_RATE_PER_MINUTE: withDefault(kinds.wholeNumber(1, 6000), '60', {
    description:
      'Calls to RunCloud in any minute, all workers together. RunCloud does not publish its limit; where its X-RateLimit-Limit header is lower, that counts.',
    example: '60',
  }),
  RUNCLOUD_PAUSE_MS: withDefault(kinds.milliseconds(1000, 900_000), '60000', {
    description: 'How long all workers pause when RunCloud says slow down (429) without saying for how long.',
    example: '60000',
  }),
  WORKER_CONCURRENCY: withDefault(kinds.wholeNumber(1, 100), '5', {
    description: 'Jobs that one worker process runs at the same time.',
    example: '5',
  }),
  JOB_ATTEMPTS: withDefault(kinds.wholeNumber(1, 1000), '40', {
    description:
      'Tries before a job fails for good. With the default backoff 40 tries span about six hours (jitter: 4 h 3 min to 8 h 6 min). Waiting and rate limits cost none.',
    example: '40',
  }),
  JOB_BACKOFF_MS: withDefault(kinds.milliseconds(), '5000', {
    description:
      'Delay before the second try; it doubles with each further one. Jitter takes up to half of each delay away.',
    example: '5000',
  }),
  JOB_BACKOFF_MAX_MS: withDefault(kinds.milliseconds(), '900000', {
    description: 'The longest delay between two tries; not below JOB_BACKOFF_MS.',
    example: '900000',
  }),
  TOP_LEVEL_DOMAINS: optional(
    kinds.oneOf(kinds.topLevelDomains),
    {
      description:
        "Under which top-level domains a domain is taken; the same in workers, servers and producers. `public`: those of the internet, since Let's Encrypt signs no others. `test`: also `.example`, `.test`, `.invalid` and `.localhost`. `any`: all, for a certificate authority of one's own.",
      example: 'any',
    },
    '`public`; `test` where RUNCLOUD_API_URL is on a loopback address',
  ),
  SSL_REDEPLOY_DELAY_MS: withDefault(kinds.milliseconds(), '120000', {
    description: 'How long after the newest attachment the certificate is redeployed, once for all of them.',
    example: '120000',
  }),
  ...httpsVariables,
  RECONCILE_INTERVAL_MS: withDefault(kinds.milliseconds(), '900000', {
    description:
      'How often a worker looks for requests whose job is lost or stuck, and for domains that RunCloud does not have as wanted.',
    example: '900000',
  }),
  SHUTDOWN_TIMEOUT_MS: withDefault(kinds.milliseconds(1, 600_000), '30000', {
    description: 'How long running jobs may finish after SIGTERM before they are handed back.',
    example: '30000',
  }),
  ...serverVariables,
  LOG_LEVEL: withDefault(kinds.oneOf(kinds.logLevels), 'info', {
    description: 'The least important lines that are written.',
    example: 'debug',
  }),
  LOG_FORMAT: optional(
    kinds.oneOf(kinds.logFormats),
    { description: 'One JSON object per line, or lines for people.', example: 'json' },
    'pretty on a terminal, else json',
  ),
  WP_CONFIG: optional(kinds.filePath, {
    description:
      'A wp-config.php whose WU_RUNCLOUD_* constants are read, without running it, where the environment does not set them. Only a `define` or `const` at the top level counts; one that depends on a condition is refused.',
    example: '/var/www/html/wp-config.php',
  }),
});

export type VariableName = keyof typeof environment.shape;
export type Values = z.output<typeof environment>;

export const variableNames = Object.keys(environment.shape) as VariableName[];

const factsOf = (name: VariableName): Variable => {
  const variable = facts.get(environment.shape[name]);
  if (variable === undefined) throw new Error(`${name} has no description`);
  return variable;
};

/** Every variable, in the order in which people read about them. */
export const variables = Object.freeze(
  Object.fromEntries(variableNames.map((name) => [name, factsOf(name)])) as Record<VariableName, Variable>,
);
