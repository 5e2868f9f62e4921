// The records in Redis: what was asked last for each domain, and how it went. Every change is one atomic script.
import type { Redis } from 'ioredis';
import { type Code, mayPass } from '../errors.ts';
import { createWrites, type Writes } from '../lease/writes.ts';
import { toRecordChanges } from '../probes/dns-records.ts';
import { readClock } from '../redis/clock.ts';
import { generationOf, type Keys, toJobIdStem, toMember } from '../redis/keys.ts';
import { createRunScript, type RunScript } from '../redis/run-script.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { encodeDesired, withoutWww } from './desired.ts';
import {
  type Desired,
  type DomainKey,
  type DomainRecord,
  type Evidence,
  includesWww,
  parseMember,
  type Requester,
  type RequestState,
  type Transition,
} from './domain.ts';
import type { DomainName } from './domain-name.ts';
import { createForgetting, type Forgetting } from './forget.ts';
import type { Report } from './outcome.ts';
import { bareOf, type Owner, takenBy, twinOf } from './owner.ts';
import { FIRST_CHECK_MS, LONGEST_CHECK_MS } from './reconcile.ts';
import { toDomainRecord, toRecord } from './record.ts';
import { CLAIM, REQUEST } from './request-scripts.ts';
import { FORGET_SEEN, NOTE_SEEN, NOTE_WATCHED, SETTLE } from './settle-scripts.ts';
import { WRITE_BEGAN } from './state-scripts.ts';

/** What somebody asks for one domain, and who. */
export interface DomainRequest extends DomainKey, Requester {
  readonly desired: Desired;
  readonly siteId?: string | undefined;
}

/** A generation that is asked for again, since it failed or was undone; who asked first stays in the record. */
export interface Renewal {
  readonly generation: number;
  /** `cli:ada`, `the sweep`. */
  readonly by: string;
  /** Nobody asks: what has failed is looked at again, and stays failed for people meanwhile. */
  readonly isQuiet?: boolean;
}

/**
 * `new` and `missing`: add the job under `jobId`. `coalesced`: that job is on its way already. `superseded`: the request was
 * to renew a generation that is no longer the newest; `jobId` carries the newer one.
 */
export interface EnqueueResult {
  readonly fate: 'new' | 'missing' | 'coalesced' | 'superseded';
  readonly jobId: string;
  /** `www: auto` gave way: the www name has a record of its own. */
  readonly isWithoutTwin?: true;
}

/** A job as the queue holds it. */
export interface JobRef {
  readonly jobId: string;
  /** By the clock of whoever added it. */
  readonly addedAt: number;
  /** True where it has run before. */
  readonly again?: boolean;
}

/** `busy`: another run may still be writing for this domain; look again soon. */
export type Claim = 'current' | 'superseded' | 'busy';

export interface ObservedState extends Pick<DomainRecord, 'observedAt' | 'attachedAt' | 'attachedWww'> {
  /** RunCloud's id of what was seen. */
  readonly id: number;
}

export interface Settlement {
  readonly request: RequestState;
  readonly outcome: string;
  readonly code?: Code | undefined;
  /** When the job looks again, in milliseconds since the epoch. */
  readonly nextRunAt?: number | undefined;
  /** BullMQ's lock of the run that speaks; a run that has lost it records nothing. */
  readonly token?: string | undefined;
  /** What it says of the domain; what is left out stays. */
  readonly report?: Report | undefined;
  /** The request that this run looked for, see `again`. */
  readonly requestedAt?: number | undefined;
}

/**
 * `superseded`: a newer request, or another run of the same job, counts instead. `again`: the same was asked for once more
 * since the run began, so that its look may be too old to settle it.
 */
export type Settled = 'recorded' | 'superseded' | 'again';

export interface DomainStore extends Writes<DomainKey>, Forgetting {
  /**
   * Records a request; a repetition of one that is on its way is coalesced with it. A renewal does nothing where somebody has
   * asked for something else meanwhile. Throws PermanentError `host-name-taken` where another record has a name that it would take.
   */
  request(request: DomainRequest, renewal?: Renewal): Promise<EnqueueResult>;
  /** The same for a job that has come up: whether it carries the newest request of its domain. A foreign job becomes a request here. */
  claim(job: JobRef, request: DomainRequest): Promise<{ fate: Claim; record: DomainRecord }>;
  /** Records an outcome, where it still counts. */
  settle(key: DomainKey, jobId: string, settlement: Settlement): Promise<Settled>;
  /**
   * Remembers for this job's request that RunCloud was seen to have the domain, and how. Returns what is known by that of our own
   * writes: whose replies did not come, this look may have told.
   */
  noteObserved(
    key: DomainKey,
    jobId: string,
    seen: ObservedState,
  ): Promise<Pick<DomainRecord, 'attachedId' | 'setWww'>>;
  /** RunCloud may not have it any more: the next run of this job looks. */
  forgetObserved(key: DomainKey, jobId: string): Promise<void>;
  /** What a later look at a settled domain says; true where its stage, or who must act, has changed. */
  noteWatched(
    key: DomainKey,
    jobId: string,
    seen: { sentence: string; report: Report; isExpiring?: true },
  ): Promise<boolean>;
  /** The domain's last 50 transitions, the newest first. */
  history(key: DomainKey): Promise<Transition[]>;
  get(key: DomainKey): Promise<DomainRecord | undefined>;
  /** The records of this name on any web application, the most recently asked first. */
  everywhere(domain: DomainName): Promise<DomainRecord[]>;
  /** Whether another web application has a record of any domain. */
  hasOthers(app: WebApplication): Promise<boolean>;
  /** Who has this host name on this web application: the record that wants it for itself, or as its www name. */
  ownerOf(key: DomainKey): Promise<DomainRecord | undefined>;
  /** The most recently asked first. */
  list(limit: number): Promise<DomainRecord[]>;
  /** All of them, in no order, a few at a time. */
  scan(): AsyncGenerator<DomainRecord>;
  /** The newest generation of all; falls only where Redis has lost its data. */
  newestGeneration(): Promise<number>;
  /** Milliseconds since the epoch by Redis' clock. */
  now(): Promise<number>;
}

export interface DomainStoreOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  /** Of what proves that an entry of the outbox is ours (outbox.ts). Undefined: nobody wants to hear. */
  readonly outboxKeys?: string | undefined;
}

type Answer = [fate: EnqueueResult['fate'], jobId: string, gaveWay?: string] | [fate: 'taken', owner: Owner];

export function createDomainStore({ redis, keys, outboxKeys }: DomainStoreOptions): DomainStore {
  // The keys of a script that may have something to tell.
  const steps = (key: DomainKey): string[] => [
    keys.record(key),
    keys.history(key),
    ...(outboxKeys === undefined ? [] : [keys.outbox]),
  ];
  const requestKeys = (key: DomainKey): string[] => [
    keys.record(key),
    keys.all,
    keys.generation,
    keys.history(key),
    keys.apps,
    keys.record({ ...key, domain: bareOf(key.domain) ?? key.domain }),
    keys.record({ ...key, domain: twinOf(key.domain) }),
  ];
  const run = createRunScript(redis);

  return {
    async request(request, renewal) {
      const what = [keys.queue, toMember(request), renewal?.generation ?? '', toJobIdStem(request)];
      const args = [...what, ...requestFields(request), renewal?.by ?? '', renewal?.isQuiet ? '1' : ''];
      const [fate, jobId, gaveWay] = await run<Answer>(REQUEST, requestKeys(request), args);
      if (fate === 'taken') throw takenBy(jobId, request.domain, request.desired);
      return { fate, jobId, ...(gaveWay && { isWithoutTwin: true }) };
    },
    async claim({ jobId, addedAt, again }, request) {
      const place = /^\d+$/.test(jobId) ? jobId : '';
      const generation = generationOf(jobId, toJobIdStem(request)) ?? '';
      const ticket = [toMember(request), jobId, generation, place, addedAt, again ? '1' : ''];
      const args = [...ticket, ...requestFields(request)];
      const claimKeys = [...requestKeys(request), keys.lease(request)];
      const [fate, ...fields] = await run<[Claim | 'taken', ...string[]]>(CLAIM, claimKeys, args);
      if (fate === 'taken') throw takenBy(fields[0] as Owner, request.domain, request.desired);
      const record = toDomainRecord(request, toRecord(fields));
      if (!record) throw new Error(`the record of ${request.domain} vanished while it was claimed`);
      return { fate, record };
    },
    ...createWrites<DomainKey>({
      redis,
      keysOf: (key) => [keys.record(key), keys.lease(key), keys.history(key)],
      owner: 'jobId',
      began: WRITE_BEGAN,
    }),
    settle: (key, jobId, settlement) =>
      run<Settled>(SETTLE, steps(key), [
        ...[keys.queue, jobId, ...settlementFields(settlement), outboxKeys ?? ''],
      ]),
    ...createLife({ run, redis, keys, steps, outboxKeys }),
    ...createReadings(redis, keys),
    ...createForgetting(redis, keys, run),
  };
}

interface LifeParts extends DomainStoreOptions {
  readonly run: RunScript;
  readonly steps: (key: DomainKey) => string[];
}

function createLife({
  run,
  redis,
  keys,
  steps: stepKeys,
  outboxKeys = '',
}: LifeParts): Pick<DomainStore, 'noteObserved' | 'forgetObserved' | 'noteWatched' | 'history'> {
  return {
    async noteObserved(key, jobId, { observedAt, attachedAt, attachedWww, id }) {
      const www = attachedWww === undefined ? '' : Number(attachedWww);
      const args = [jobId, observedAt, attachedAt, www, id];
      const [attachedId = '', setWww = ''] = await run<string[]>(NOTE_SEEN, [keys.record(key)], args);
      return {
        attachedId: attachedId ? Number(attachedId) : undefined,
        setWww: setWww ? setWww === '1' : undefined,
      };
    },
    async forgetObserved(key, jobId) {
      await run(FORGET_SEEN, [keys.record(key)], [jobId]);
    },
    async noteWatched(key, jobId, { sentence, report, isExpiring }) {
      const args = [jobId, sentence, isExpiring ? '1' : '', ...reportFields(report, undefined), outboxKeys];
      return (await run<number>(NOTE_WATCHED, stepKeys(key), args)) === 1;
    },
    async history(key) {
      const steps = await redis.lrange(keys.history(key), 0, -1);
      return steps.map((step) => JSON.parse(step) as Transition);
    },
  };
}

function createReadings(
  redis: Redis,
  keys: Keys,
): Pick<
  DomainStore,
  'get' | 'everywhere' | 'hasOthers' | 'ownerOf' | 'list' | 'scan' | 'newestGeneration' | 'now'
> {
  const get = async (key: DomainKey): Promise<DomainRecord | undefined> =>
    toDomainRecord(key, await redis.hgetall(keys.record(key)));
  const desired = async (key: DomainKey): Promise<DomainRecord | undefined> => {
    const record = await get(key);
    return record?.desired.presence === 'present' ? record : undefined;
  };
  return {
    get,
    async everywhere(domain) {
      const apps = await redis.smembers(keys.apps);
      const found = await Promise.all(apps.map((app) => get(parseMember(`${app}:${domain}`))));
      return found.filter((record) => record !== undefined).toSorted((a, b) => b.requestedAt - a.requestedAt);
    },
    async hasOthers({ serverId, appId }) {
      const apps = await redis.smembers(keys.apps);
      return apps.some((app) => app !== `${serverId}:${appId}`);
    },
    async ownerOf(key) {
      const bare = bareOf(key.domain);
      const [own, other] = await Promise.all([desired(key), bare && desired({ ...key, domain: bare })]);
      return own ?? (other && includesWww(other.desired) ? other : undefined);
    },
    async list(limit) {
      const members = await redis.zrevrange(keys.all, 0, limit - 1);
      const found = await Promise.all(members.map((member) => get(parseMember(member))));
      return found.filter((record) => record !== undefined);
    },
    async *scan() {
      for await (const page of redis.zscanStream(keys.all, { count: 200 })) {
        // Members and scores by turns.
        const members = (page as string[]).filter((_, i) => i % 2 === 0);
        const found = await Promise.all(members.map((member) => get(parseMember(member))));
        yield* found.filter((record) => record !== undefined);
      }
    },
    async newestGeneration() {
      return Number((await redis.get(keys.generation)) ?? 0);
    },
    now: () => readClock(redis),
  };
}

const requestFields = ({ desired, siteId, by, for: behalf }: DomainRequest): string[] => [
  encodeDesired(desired),
  encodeDesired(withoutWww(desired)),
  siteId ?? '',
  by ?? '',
  behalf ?? '',
];

const reportFields = ({ state, reasonCode, mustAct, evidence }: Report, code: Code | undefined): string[] => [
  state ?? '',
  code ?? reasonCode ?? '',
  mustAct ?? '',
  evidence ? JSON.stringify(evidence) : '',
  evidence ? JSON.stringify(toRecordChanges((evidence as Partial<Evidence>).dns ?? [])) : '',
];

function settlementFields(settlement: Settlement): (string | number)[] {
  const { request: state, outcome, code, nextRunAt, token, requestedAt, report = {} } = settlement;
  const checks = state === 'failed' && mayPass(code) ? [FIRST_CHECK_MS, LONGEST_CHECK_MS] : ['', ''];
  const what = [token ?? '', state, outcome, code ?? '', nextRunAt ?? '', requestedAt ?? ''];
  return [...what, ...checks, ...reportFields(report, code)];
}
