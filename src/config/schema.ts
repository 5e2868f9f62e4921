// The whole configuration. Each entry is a variable of the environment, and its place is the field of the
// Config that it fills. Types, errors, masking, .env.example and docs/reference/configuration.md follow from it.
// A new variable is one entry here (DNS, TLS and SSL: https-schema.ts), and `npm run docs`.
import * as access from './access-kinds.ts';
import { type Entry, entriesOf, list, optional, type SettingsOf, variable } from './entry.ts';
import { httpsSchema } from './https-schema.ts';
import * as kinds from './kinds.ts';
import * as network from './network-kinds.ts';

export const schema = {
  redisUrl: variable('REDIS_URL', network.redisUrl, {
    default: 'redis://127.0.0.1:6379',
    description: 'The Redis server that stores the queue; `rediss://` for TLS.',
    example: 'rediss://worker:password@redis.example.org:6380/0',
  }),
  redisCaFile: optional('REDIS_CA_FILE', kinds.certificateFile, {
    description:
      "A PEM file with the authorities that sign Redis' certificate. Only with `rediss://`. It replaces the usual authorities.",
    example: '/etc/ssl/redis-ca.pem',
    unset: 'the usual authorities',
  }),
  queuePrefix: variable('QUEUE_PREFIX', kinds.queuePrefix, {
    default: 'bull',
    description:
      'The first part of every key in Redis. Workers, servers and producers need the same one. Redis Cluster needs braces.',
    example: '{bull}',
  }),
  runcloud: {
    token: optional('RUNCLOUD_API_TOKEN', kinds.token, {
      description:
        'The token of RunCloud API v3 (Workspace > Settings > API Management). A worker needs it, or a key pair. A producer does not.',
      example: '0123456789abcdef0123456789abcdef',
      aliases: ['WU_RUNCLOUD_API_TOKEN'],
      secret: true,
    }),
    key: optional('RUNCLOUD_API_KEY', kinds.basicUser, {
      description: 'The key of the older API v2. Needs RUNCLOUD_API_SECRET.',
      example: '0123456789abcdef',
      aliases: ['WU_RUNCLOUD_API_KEY'],
      secret: true,
    }),
    secret: optional('RUNCLOUD_API_SECRET', kinds.token, {
      description: 'The secret of RUNCLOUD_API_KEY.',
      example: 'fedcba9876543210',
      aliases: ['WU_RUNCLOUD_API_SECRET'],
      secret: true,
    }),
    api: optional('RUNCLOUD_API_URL', network.apiUrl, {
      description:
        'The base address of the API. It ends with the version, `/v2` or `/v3`. `http://` is for loopback only.',
      example: 'https://manage.runcloud.io/api/v3',
      unset: 'https://manage.runcloud.io/api/v3, or https://manage.runcloud.io/api/v2 with a key pair',
    }),
    serverId: optional('RUNCLOUD_SERVER_ID', kinds.runcloudId, {
      description: 'The server of the web application, for jobs that name none.',
      example: '1903',
      aliases: ['WU_RUNCLOUD_SERVER_ID'],
    }),
    appId: optional('RUNCLOUD_APP_ID', kinds.runcloudId, {
      description: 'The web application that gets the domains, for jobs that name none.',
      example: '646',
      aliases: ['WU_RUNCLOUD_APP_ID'],
    }),
    timeoutMs: variable('RUNCLOUD_TIMEOUT', kinds.duration('100ms', '10m'), {
      default: '60s',
      description: 'The timeout of one API call. After it the result of the call counts as unknown.',
    }),
    ratePerMinute: variable('RUNCLOUD_RATE_PER_MINUTE', kinds.wholeNumber(1, 6000), {
      default: '60',
      description:
        'Calls to RunCloud per minute, of all workers together. RunCloud does not publish its limit. A lower X-RateLimit-Limit header of RunCloud wins.',
    }),
  },
  worker: {
    concurrency: variable('WORKER_CONCURRENCY', kinds.wholeNumber(1, 100), {
      default: '5',
      description: 'Jobs that one worker process runs at the same time.',
    }),
    shutdownTimeoutMs: variable('SHUTDOWN_TIMEOUT', kinds.duration('1ms', '10m'), {
      default: '30s',
      description: 'How long running jobs may take after SIGTERM. Then another worker gets them.',
    }),
    address: optional('WORKER_ADDRESS', network.hostAndPort, {
      description:
        'Where a worker serves `/healthz`, `/readyz` and `/metrics`. They need no token: use an address of your own network. Each worker of a machine needs its own port.',
      example: '127.0.0.1:8788',
      unset: 'no port',
    }),
  },
  jobs: {
    retryForMs: variable('RETRY_FOR', kinds.duration('0', '30d'), {
      default: '6h',
      description:
        'How long a failing job is retried before it fails for good. The first retry follows after 5 s; the delay doubles up to 15 min. Jitter shortens or lengthens the whole by up to a third. Waiting and rate limits do not count.',
      formerly: ['JOB_ATTEMPTS', 'JOB_BACKOFF_MS', 'JOB_BACKOFF_MAX_MS'],
    }),
  },
  topLevelDomains: optional('TOP_LEVEL_DOMAINS', kinds.oneOf(['public', 'test', 'any']), {
    description:
      "Which top-level domains a domain may have. Workers, servers and producers need the same. `public`: those of the internet; Let's Encrypt signs no others. `test`: also `.example`, `.test`, `.invalid` and `.localhost`. `any`: all, for your own certificate authority.",
    example: 'any',
    unset: '`public`; `test` if RUNCLOUD_API_URL is on a loopback address',
  }),
  ...httpsSchema,
  server: {
    host: variable('SERVER_HOST', access.host, {
      default: '127.0.0.1',
      description:
        'The address on which `server` listens; `0.0.0.0` for every address. An address that other machines reach needs API_TOKENS.',
      example: '0.0.0.0',
    }),
    port: variable('SERVER_PORT', kinds.wholeNumber(0, 65_535), {
      default: '8787',
      description: 'The port on which `server` listens; 0 for any free port.',
    }),
    path: variable('SERVER_PATH', access.pathPrefix, {
      default: '/',
      description:
        'The path below which a proxy publishes the server. The proxy may strip it or pass it on. A trusted proxy (TRUST_PROXY) may also send it as X-Forwarded-Prefix.',
      example: '/domains',
    }),
    trustProxy: variable('TRUST_PROXY', kinds.onOff, {
      default: 'off',
      description:
        "Set it to `on` behind a proxy that ends TLS and sets X-Forwarded-*. The board's cookies are Secure then. Without such a proxy `on` lets anybody forge the address in the log.",
      example: 'on',
    }),
    ratePerMinute: variable('API_RATE_PER_MINUTE', kinds.wholeNumber(1, 1_000_000), {
      default: '600',
      description:
        'Requests per API token and minute. Each line of a batch counts as one. Clients without a token share one such limit per network.',
    }),
    tokens: list('API_TOKENS', access.apiTokens, {
      description:
        'The tokens of the HTTP API; `token create` makes an entry. `enqueue` adds and removes domains, `read` shows their status, `operate` does both and controls the queue. A client with two entries (`shop-1`, `shop-2`) can change its token without a gap.',
      example: 'shop:enqueue:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      secret: true,
    }),
    boardUsers: list('BOARD_USERS', access.boardUsers, {
      description:
        'The users of the board; `board password` makes an entry. Put the value in single quotes, because it contains `$`.',
      example:
        "'ada:operator:scrypt$131072$8$1$c2FsdC1vZi10aGUtZG9jcw$a2V5LW9mLXRoZS1kb2N1bWVudGF0aW9uLTMyYnl0ZXM'",
      secret: true,
    }),
  },
  callbacks: {
    urls: list('CALLBACK_URLS', access.callbackUrls, {
      description:
        'The addresses that get a webhook when a domain becomes live, held, failed or removed, or when a worker has a problem. Needs CALLBACK_SECRETS.',
      example: 'https://app.example.org/hooks/domains',
    }),
    secrets: list('CALLBACK_SECRETS', access.callbackSecrets, {
      description:
        'The secrets that sign the webhooks (Standard Webhooks). Each of them signs every webhook. To change one, add the new one first, give it to the receivers, then remove the old one. `echo "whsec_$(openssl rand -base64 32)"` makes one.',
      example: 'whsec_ZG9jdW1lbnRhdGlvbi1leGFtcGxlLXNlY3JldC0wMDE=',
      secret: true,
    }),
  },
  otlpEndpoint: optional('OTEL_EXPORTER_OTLP_ENDPOINT', network.otlpEndpoint, {
    description: 'Where traces go, by OTLP over HTTP. `/v1/traces` is added to this base address.',
    example: 'http://127.0.0.1:4318',
    unset: 'no traces',
  }),
  log: {
    level: variable(
      'LOG_LEVEL',
      kinds.oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
      { default: 'info', description: 'The lowest level that is logged.', example: 'debug' },
    ),
    format: optional('LOG_FORMAT', kinds.oneOf(['json', 'pretty']), {
      description: 'One JSON object per line, or lines for people.',
      example: 'json',
      unset: 'pretty on a terminal, else json',
    }),
  },
  wpConfigPath: optional('WP_CONFIG', kinds.filePath, {
    description:
      'A wp-config.php whose WU_RUNCLOUD_* constants count if the environment does not set them. The file is read, never run. Only a `define` or `const` at the top level counts; one that depends on a condition is an error.',
    example: '/var/www/html/wp-config.php',
  }),
};

/** The values of the schema, before other settings decide what is not set. */
export type Settings = SettingsOf<typeof schema>;

/** Every variable, in the order in which people read about them. */
export const entries: readonly Entry[] = entriesOf(schema);

/** Names of variables that were removed: whoever still sets one gets a warning. */
export const removed: readonly string[] = [
  'BOARD_SESSION',
  'LE_DUPLICATES_PER_WEEK',
  'LE_FAILURES_PER_HOUR',
  'RECONCILE_INTERVAL_MS',
  'RUNCLOUD_PAUSE_MS',
  'SWEEP_INTERVAL_MS',
];
