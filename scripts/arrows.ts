// What each folder of src/ may import: the arrows of the architecture. `test/docs/arrows.test.ts` compares them with the imports,
// and `npm run docs` writes them into ARCHITECTURE.md. An arrow that no import needs any more fails the test, too.

export interface Arrows {
  /** Folders whose code it runs, by name, separated by spaces. */
  readonly uses: string;
  /** Folders of which it knows types only. */
  readonly types?: string;
  /** Packages of npm. */
  readonly packages?: string;
}

/** By folder of src/, or by file in src/ itself, without its ending. */
export const arrows: Readonly<Record<string, Arrows>> = {
  'api-records': {
    uses: 'domains errors probes',
    types: 'audit callbacks certificates queue',
    packages: 'zod',
  },
  app: {
    uses: 'audit callbacks certificates config deadline doctor domains errors health https jobs logger metrics probes queue rate-limit redis runcloud server tracing untrusted version',
    packages: 'ioredis',
  },
  audit: { uses: '', types: 'redis', packages: 'ioredis' },
  callbacks: {
    uses: 'deadline domains errors jobs queue redis untrusted',
    types: 'logger',
    packages: 'bullmq ioredis standardwebhooks',
  },
  certificates: { uses: 'domains errors lease probes redis', types: 'runcloud', packages: 'ioredis tldts' },
  cli: {
    uses: 'api-records app audit callbacks config doctor domains errors logger probes queue redis untrusted version',
    types: 'certificates jobs',
    packages: 'commander',
  },
  client: { uses: 'errors queue', types: 'domains jobs' },
  config: { uses: 'listening probes secrets untrusted', packages: 'php-parser' },
  deadline: { uses: '' },
  doctor: { uses: 'domains errors https runcloud untrusted', types: 'probes redis', packages: 'zod' },
  domains: { uses: 'errors lease probes redis secrets', types: 'runcloud', packages: 'ioredis tldts' },
  errors: { uses: '' },
  health: {
    uses: 'deadline domains https listening queue redis',
    types: 'certificates metrics rate-limit runcloud',
    packages: 'ioredis',
  },
  https: { uses: 'certificates domains probes', types: 'runcloud' },
  index: { uses: 'app client config errors' },
  jobs: { uses: 'certificates domains errors https lease probes runcloud', packages: 'zod' },
  lease: { uses: 'redis', types: 'runcloud', packages: 'ioredis' },
  listening: { uses: '' },
  logger: { uses: 'untrusted', packages: 'pino pino-pretty' },
  metrics: { uses: '', types: 'health runcloud', packages: 'prom-client' },
  probes: { uses: 'deadline untrusted', packages: 'tldts' },
  queue: {
    uses: 'certificates deadline domains errors https jobs probes redis',
    types: 'audit logger rate-limit runcloud',
    packages: 'bullmq ioredis',
  },
  'rate-limit': { uses: 'redis', types: 'runcloud', packages: 'ioredis' },
  redis: { uses: 'deadline errors', types: 'runcloud', packages: 'ioredis' },
  runcloud: { uses: 'deadline errors untrusted', packages: 'got zod' },
  secrets: { uses: '' },
  server: {
    uses: 'api-records audit callbacks config deadline domains errors health jobs listening logger queue redis secrets untrusted',
    types: 'metrics',
    packages: '@bull-board/api @bull-board/fastify @fastify/cookie fastify ioredis zod',
  },
  tracing: {
    uses: 'deadline',
    types: 'runcloud',
    packages:
      '@opentelemetry/api @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources @opentelemetry/sdk-trace-node bullmq-otel',
  },
  untrusted: { uses: '' },
  version: { uses: '' },
};
