// The promise as a check: given what was requested (in the order in which it was accepted), the simulator and Redis, it names
// every invariant (I1 to I7, docs/reference/reliability.md) that is broken once everything has come to rest.
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Call, isWrite, PLANTED_SECRETS, type Simulator } from '../../packages/simulator/src/index.ts';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { createDomainStore } from '../../src/domains/store.ts';
import { codes } from '../../src/errors.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import { createKeys } from '../../src/redis/keys.ts';

/** One request that was accepted, and the job that it was answered with. */
export interface Requested {
  readonly domain: string;
  readonly presence: 'present' | 'absent';
  readonly jobId: string;
}

export interface Evidence {
  readonly simulator: Pick<Simulator, 'state'>;
  readonly redis: Redis;
  readonly prefix: string;
  /** In the order of acceptance: of each domain the last one counts. */
  readonly requested: readonly Requested[];
  /** Further jobs (redeploys) that were accepted. */
  readonly jobs?: readonly string[];
  /** Names that were there before, or that somebody attached in RunCloud's panel; they must all be there. */
  readonly others?: readonly string[];
  /** Calls in any 60 s; undefined: not looked at. */
  readonly ratePerMinute?: number;
  /** Everything that the workers have written. */
  readonly logs?: string;
  /** Looked for besides the simulator's planted secrets. */
  readonly secrets?: readonly string[];
  /** Domains whose last request may have ended as visibly failed; all others must be as wanted. */
  readonly mayFail?: (domain: string) => boolean;
}

const PRIMARY = 'network.example.org';
const APP = { serverId: 1903, appId: 646 };

/** Throws one error that lists everything that is broken. */
export async function checkInvariants(evidence: Evidence): Promise<void> {
  const violations = await findViolations(evidence);
  if (violations.length === 0) return;
  const shown = violations.slice(0, 20).map((line) => `  ${line}`);
  throw new Error(`${violations.length} violation(s) of the invariants:\n${shown.join('\n')}`);
}

/** One sentence per violation, beginning with the invariant's number. */
export async function findViolations(evidence: Evidence): Promise<string[]> {
  const { simulator, redis, prefix, ratePerMinute } = evidence;
  const { calls } = simulator.state;
  const store = await readRecords(redis, prefix);
  const queue = new Queue(QUEUE_NAME, { connection: redis, prefix, skipWaitingForReady: true });
  queue.on('error', () => undefined);
  try {
    return [
      ...finalStates(evidence, store),
      ...overlaps(simulator),
      ...strangers(evidence, calls),
      ...(await leftovers(queue)),
      ...unsettled(store),
      ...(ratePerMinute === undefined ? [] : tooFast(calls, ratePerMinute)),
      ...(await leaks(evidence)),
      ...(await unanswered(queue, evidence, store)),
    ];
  } finally {
    await queue.close();
  }
}

async function readRecords(redis: Redis, prefix: string): Promise<Map<string, DomainRecord>> {
  const store = createDomainStore({ redis, keys: createKeys(prefix, QUEUE_NAME) });
  const found = new Map<string, DomainRecord>();
  for await (const record of store.scan()) found.set(record.domain, record);
  return found;
}

/** What was requested last of each domain. */
export function lastOf(requested: readonly Requested[]): Map<string, Requested> {
  return new Map(requested.map((request) => [request.domain, request]));
}

function finalStates(
  { simulator, requested, mayFail }: Evidence,
  store: Map<string, DomainRecord>,
): string[] {
  const attached = new Set(simulator.state.domains().map(({ name }) => name));
  const wrong = (domain: string, presence: string): string[] => {
    if (attached.has(domain) === (presence === 'present')) return [];
    const record = store.get(domain);
    if (record?.request === 'failed' && mayFail?.(domain)) return [];
    return [`I1: ${domain} should be ${presence} and is not (its record: ${describe(record)})`];
  };
  return [...lastOf(requested)].flatMap(([domain, { presence }]) => wrong(domain, presence));
}

const describe = (record: DomainRecord | undefined): string =>
  record
    ? `${record.desired.presence}, ${record.request}, ${record.code ?? ''} ${record.outcome ?? ''}`
    : 'none';

function overlaps({ state }: Pick<Simulator, 'state'>): string[] {
  const isOfCertificates = ({ operation }: Call): boolean => /cert|ssl/i.test(operation ?? '');
  const certificates = state
    .overlappingWrites({ by: 'webapp' })
    .filter((pair) => pair.every(isOfCertificates));
  return [...state.overlappingWrites(), ...certificates].map(
    ([first, second]) =>
      `I2: ${first.operation} and ${second.operation} of ${first.domain} were in flight together (${span(first)}; ${span(second)})`,
  );
}

const span = ({ startedAt, endedAt, status, fault }: Call): string =>
  `${new Date(startedAt).toISOString()} for ${endedAt === null ? 'ever' : `${Math.round(endedAt - startedAt)} ms`}, ${status ?? 'no reply'}${fault ? `, ${fault}` : ''}`;

function strangers({ simulator, requested, others = [] }: Evidence, calls: readonly Call[]): string[] {
  const names = simulator.state.domains().map(({ name }) => name.toLowerCase());
  const named = new Set(requested.map(({ domain }) => domain));
  const expected = [PRIMARY, ...others];
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  const uncalledFor = names.filter((name) => !named.has(name) && !expected.includes(name));
  // A DELETE that met an id which was gone already has no name, and changed nothing: a write that took effect late came first.
  const met = (call: Call): boolean => call.domain !== null || call.writeApplied;
  const touched = calls.filter((call) => isDomainWrite(call) && met(call) && !named.has(call.domain ?? ''));
  return [
    ...twice.map((name) => `I3: ${name} is attached twice`),
    ...uncalledFor.map((name) => `I3: nobody requested ${name}, but it is attached`),
    ...expected.filter((name) => !names.includes(name)).map((name) => `I3: ${name} is gone`),
    ...touched.map(({ operation, domain }) => `I3: ${operation} of ${domain}, which nobody had named`),
  ];
}

const isDomainWrite = (call: Call): boolean =>
  isWrite(call) && (call.operation === 'attach-domain' || call.operation === 'delete-domain');

async function leftovers(queue: Queue): Promise<string[]> {
  const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed');
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `I4: ${count} job(s) left ${state}`);
}

function unsettled(store: Map<string, DomainRecord>): string[] {
  return [...store.values()]
    .filter(({ request: state }) => state === 'pending')
    .map(
      (record) =>
        `I4: the record of ${record.domain} is pending, though no job is left (${describe(record)})`,
    );
}

function tooFast(calls: readonly Call[], ratePerMinute: number): string[] {
  const most = mostInWindow(
    calls.map(({ startedAt }) => startedAt),
    60_000,
  );
  return most > ratePerMinute ? [`I5: ${most} calls within 60 s, ${ratePerMinute} are allowed`] : [];
}

/** The most times that fall into any half-open window of `windowMs`. */
export function mostInWindow(times: readonly number[], windowMs: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [at, time] of sorted.entries()) {
    while (time - (sorted[first] ?? time) >= windowMs) first += 1;
    most = Math.max(most, at - first + 1);
  }
  return most;
}

async function leaks({ redis, prefix, logs = '', secrets = [] }: Evidence): Promise<string[]> {
  const desired = [...Object.values(PLANTED_SECRETS), ...secrets];
  const found = (text: string, where: string): string[] =>
    desired.filter((secret) => text.includes(secret)).map((secret) => `I6: ${secret} stands in ${where}`);
  const violations = found(logs, 'the logs');
  for await (const keys of redis.scanStream({ match: `${prefix}:*`, count: 500 })) {
    for (const key of keys as string[]) {
      violations.push(...found(`${key} ${await contentOf(redis, key)}`, `Redis, at ${key}`));
    }
  }
  return violations;
}

async function contentOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'string':
      return (await redis.get(key)) ?? '';
    case 'hash':
      return JSON.stringify(await redis.hgetall(key));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return '';
  }
}

// A record that was dropped (trimmed, or replaced by a person's retry) is answered for by its domain's record.
async function unanswered(
  queue: Queue,
  { requested, jobs = [], mayFail }: Evidence,
  store: Map<string, DomainRecord>,
): Promise<string[]> {
  const violations: string[] = [];
  for (const jobId of new Set([...requested.map((request) => request.jobId), ...jobs])) {
    const wrong = await wrongEnd(queue, jobId);
    if (wrong) violations.push(`I7: job ${jobId} ${wrong}`);
  }
  for (const domain of lastOf(requested).keys()) {
    const wrong = wrongRecord(store.get(domain), mayFail?.(domain) ?? false);
    if (wrong) violations.push(`I7: the record of ${domain} ${wrong}`);
  }
  return violations;
}

function wrongRecord(record: DomainRecord | undefined, mayFail: boolean): string | undefined {
  if (!record) return 'is missing';
  if (!record.outcome) return 'has no outcome';
  if (record.request !== 'failed') return undefined;
  if (!isKnown(record.code)) return `says failed without a code (${describe(record)})`;
  return mayFail ? undefined : `says failed, which nothing explains (${describe(record)})`;
}

async function wrongEnd(queue: Queue, jobId: string): Promise<string | undefined> {
  const state = await queue.getJobState(jobId);
  const job = await queue.getJob(jobId);
  if (!job) return undefined;
  if (state === 'completed')
    return typeof job.returnvalue === 'string' && job.returnvalue ? undefined : 'ended without a sentence';
  if (state !== 'failed') return `is ${state}`;
  const [code = ''] = (job.failedReason ?? '').split(':');
  return isKnown(code) ? undefined : `failed without a code: ${job.failedReason}`;
}

const isKnown = (code: string | undefined): boolean => code !== undefined && Object.hasOwn(codes, code);

/** The web application and its primary domain that the check looks at, as the simulator has them by default. */
export const WATCHED = { ...APP, primary: PRIMARY } as const;
