// Every metric that we expose, once: the registry, docs/reference/metrics.md, ops/ and the tests derive from it. Plain values only.

export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Each label, with its values: few, never a domain. */
  readonly labels: Readonly<Record<string, string>>;
  /** Of a histogram, in seconds. */
  readonly buckets?: readonly number[];
  /** `process`: what this process did, to be summed. `redis`: the same in every process: read any one. */
  readonly of: 'process' | 'redis';
}

export const PREFIX = 'runcloud_domains_';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const jobSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const callSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const waitSeconds = [0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60];
const liveSeconds = [
  10,
  30,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  HOUR / 2,
  HOUR,
  6 * HOUR,
  DAY,
  7 * DAY,
];

const name = 'the job’s name; `unknown` where no job has it';
const limit = 'which limit of Let’s Encrypt';

export const table = {
  build_info: {
    type: 'gauge',
    help: 'Always 1; the label says which version runs.',
    labels: { version: 'of runcloud-domains' },
    of: 'process',
  },
  jobs_total: {
    type: 'counter',
    help: 'Attempts of jobs that ended, by what became of them. `retry` has spent an attempt, `waiting` has not.',
    labels: { name, outcome: '`done`, `superseded`, `waiting`, `retry`, `failed`, `handed-back`' },
    of: 'process',
  },
  job_errors_total: {
    type: 'counter',
    help: 'Attempts of jobs that ended with one of the error codes (docs/reference/error-codes.md).',
    labels: { name, code: 'the error code' },
    of: 'process',
  },
  job_duration_seconds: {
    type: 'histogram',
    help: 'How long one attempt took, waiting for its turn to call RunCloud included.',
    labels: { name },
    buckets: jobSeconds,
    of: 'process',
  },
  waits_total: {
    type: 'counter',
    help: 'Times that a job began to wait, by reason.',
    labels: {
      reason:
        'the domain’s state (`waiting-for-dns`, `held`, …); `unavailable-…`: RunCloud was unavailable; `paused`: by a person; otherwise a reason code, or `other`',
    },
    of: 'process',
  },
  live_seconds: {
    type: 'histogram',
    help: 'Time from the request for a domain to the handshake that proved it live.',
    labels: {},
    buckets: liveSeconds,
    of: 'process',
  },
  certificate_orders_total: {
    type: 'counter',
    help: 'Orders of certificates at the ledger. `granted` ones are sent; a failed or released (unsent) order was granted before.',
    labels: {
      result: '`granted`, `repeated`, `refused`, `released`, `failed`',
      limit: 'of `refused`: which limit',
    },
    of: 'process',
  },
  api_calls_total: {
    type: 'counter',
    help: 'Calls to RunCloud that were sent.',
    labels: { operation: 'of RunCloud’s API', status: 'HTTP status; `none` where no reply came' },
    of: 'process',
  },
  api_call_duration_seconds: {
    type: 'histogram',
    help: 'How long RunCloud took to answer.',
    labels: { operation: 'of RunCloud’s API' },
    buckets: callSeconds,
    of: 'process',
  },
  api_wait_seconds: {
    type: 'histogram',
    help: 'How long calls waited for the rate limiter (our own rate, a 429, an outage) before they were sent.',
    labels: {},
    buckets: waitSeconds,
    of: 'process',
  },
  api_ratelimit_remaining: {
    type: 'gauge',
    help: 'X-RateLimit-Remaining of RunCloud’s last reply; absent where it sends none.',
    labels: {},
    of: 'process',
  },
  api_throttled_total: {
    type: 'counter',
    help: 'Replies with HTTP 429: no worker calls RunCloud until the limit has passed.',
    labels: {},
    of: 'process',
  },
  callbacks_forged_total: {
    type: 'counter',
    help: 'Deliveries of callbacks that no worker with these CALLBACK_SECRETS wrote, or that were changed since: they were not sent.',
    labels: {},
    of: 'process',
  },
  redis_up: {
    type: 'gauge',
    help: '1 where Redis answered this scrape; with 0 the metrics of Redis are absent.',
    labels: {},
    of: 'process',
  },
  api_unavailable: {
    type: 'gauge',
    help: '1 while no call to RunCloud may go out, for this reason.',
    labels: { reason: '`throttled` (429), `outage`, `credentials`, `account` (quota, plan)' },
    of: 'redis',
  },
  queue_jobs: {
    type: 'gauge',
    help: 'Jobs in the queue.',
    labels: { state: '`waiting`, `active`, `delayed`, `failed`, `completed`' },
    of: 'redis',
  },
  queue_oldest_due_seconds: {
    type: 'gauge',
    help: 'For how long the oldest job that is due has waited for a worker; 0 where none is due.',
    labels: {},
    of: 'redis',
  },
  pauses: {
    type: 'gauge',
    help: 'Pauses in force.',
    labels: { scope: '`all`, `app`, `site`' },
    of: 'redis',
  },
  workers: {
    type: 'gauge',
    help: 'Workers whose heartbeat is younger than 30 s.',
    labels: {},
    of: 'redis',
  },
  last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When a worker last finished this loop over all domains; absent before the first.',
    labels: { loop: '`reconcile`, `monitor`' },
    of: 'redis',
  },
  callback_deliveries: {
    type: 'gauge',
    help: 'Deliveries of callbacks, of all URLs, in their queues.',
    labels: { state: '`waiting`, `active`, `delayed`, `failed`, `completed`' },
    of: 'redis',
  },
  domains: {
    type: 'gauge',
    help: 'Domains by state.',
    labels: { state: 'of the domain’s life', must_act: 'who must act, of `held` and `waiting-for-dns`' },
    of: 'redis',
  },
  census_age_seconds: {
    type: 'gauge',
    help: 'Age of the figures of domains, certificates and budgets. One process at a time counts them again; they are absent before the first count.',
    labels: {},
    of: 'redis',
  },
  certificate_expiry_days: {
    type: 'gauge',
    help: 'Days until the first certificate that a live or held domain was last observed with expires; absent if none was.',
    labels: {},
    of: 'redis',
  },
  certificate_lifetime_left_ratio: {
    type: 'gauge',
    help: 'The least of its lifetime that is left to any certificate that a live or held domain was last observed with: 1 when new, 0 at its end; clients renew at a third.',
    labels: {},
    of: 'redis',
  },
  certificate_budget_left: {
    type: 'gauge',
    help: 'Orders that the limit still allows, where it is closest to being spent.',
    labels: { limit },
    of: 'redis',
  },
  certificate_budget_limit: {
    type: 'gauge',
    help: 'Orders that the limit allows when nothing is spent.',
    labels: { limit },
    of: 'redis',
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof table;

export const metricNames = Object.keys(table) as MetricName[];

export const specOf = (metric: MetricName): MetricSpec => table[metric];

export const fullName = (metric: MetricName): string => `${PREFIX}${metric}`;
