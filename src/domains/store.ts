// The records in Redis: the last request of each domain, and its status. Every change is one atomic script.
import type { Redis } from 'ioredis';
import { type Code, mayPass } from '../errors.ts';
import { createWrites, type Writes } from '../lease/writes.ts';
import { toRecordChanges } from '../probes/dns-records.ts';
import { generationOf, type Keys, toJobIdStem, toMember } from '../redis/keys.ts';
import { createRunScript, type RunScript } from '../redis/run-script.ts';
import { encodeDesired, withoutWww } from './desired.ts';
import type {
  Desired,
  DomainKey,
  DomainRecord,
  Evidence,
  Requester,
  RequestState,
  Transition,
} from './domain.ts';
import { createForgetting, type Forgetting } from './forget.ts';
import type { Report } from './outcome.ts';
import { bareOf, type Owner, takenBy, twinOf } from './owner.ts';
import { createQueries, type DomainQueries } from './queries.ts';
import { FIRST_CHECK_MS, LONGEST_CHECK_MS } from './reconcile.ts';
import { toDomainRecord, toRecord } from './record.ts';
import { CLAIM, REQUEST } from './request-scripts.ts';
import { FORGET_OBSERVED, NOTE_MONITORED, NOTE_OBSERVED, SETTLE } from './settle-scripts.ts';
import { WRITE_BEGAN } from './state-scripts.ts';

/** A request for one domain, and who made it. */
export interface DomainRequest extends DomainKey, Requester {
  readonly desired: Desired;
  readonly siteId?: string | undefined;
}

/** The repetition of a generation that failed or was undone. Who requested it first stays in the record. */
export interface Renewal {
  readonly generation: number;
  /** `cli:ada`, `the reconcile loop`. */
  readonly by: string;
  /** Nobody requests it: a failed domain is checked again, and stays failed for people meanwhile. */
  readonly isQuiet?: boolean;
}

/**
 * `new` and `missing`: add the job under `jobId`. `coalesced`: that job is already queued. `superseded`: the repeated generation
 * is no longer the newest; `jobId` carries the newer one.
 */
export interface EnqueueResult {
  readonly fate: 'new' | 'missing' | 'coalesced' | 'superseded';
  readonly jobId: string;
  /** `www: auto` gave way: the www name has a record of its own. */
  readonly isWithoutTwin?: true;
}

/** A job as the queue has it. */
export interface JobRef {
  readonly jobId: string;
  /** By the clock of the process that added it. */
  readonly addedAt: number;
  /** True if it has run before. */
  readonly again?: boolean;
}

/** `busy`: another run may still be writing for this domain. Try again soon. */
export type Claim = 'current' | 'superseded' | 'busy';

export interface ObservedState extends Pick<DomainRecord, 'observedAt' | 'attachedAt' | 'attachedWww'> {
  /** RunCloud's id of the domain. */
  readonly id: number;
}

export interface Settlement {
  readonly request: RequestState;
  readonly outcome: string;
  readonly code?: Code | undefined;
  /** The job's next check, in milliseconds since the epoch. */
  readonly nextRunAt?: number | undefined;
  /** BullMQ's lock of this run; a run that has lost it records nothing. */
  readonly token?: string | undefined;
  /** The new state of the domain; what is left out stays. */
  readonly report?: Report | undefined;
  /** The time of the request that this run served, see `again`. */
  readonly requestedAt?: number | undefined;
}

/**
 * `superseded`: a newer request, or another run of the same job, counts instead. `again`: the same was requested once more since
 * the run began, so its list may be too old to settle it.
 */
export type Settled = 'recorded' | 'superseded' | 'again';

export interface DomainStore extends Writes<DomainKey>, Forgetting, DomainQueries {
  /**
   * Records a request. The same request again is coalesced with a pending one. A renewal does nothing if something else was
   * requested meanwhile. Throws PermanentError `host-name-taken` if another record has a name that it would take.
   */
  request(request: DomainRequest, renewal?: Renewal): Promise<EnqueueResult>;
  /** Whether a job carries the newest request of its domain. The job of an external producer becomes a request here. */
  claim(job: JobRef, request: DomainRequest): Promise<{ fate: Claim; record: DomainRecord }>;
  /** Records an outcome, if it still counts. */
  settle(key: DomainKey, jobId: string, settlement: Settlement): Promise<Settled>;
  /**
   * Remembers for this job's request that RunCloud has the domain, and how. Returns what that says of our own unanswered writes.
   */
  noteObserved(
    key: DomainKey,
    jobId: string,
    observed: ObservedState,
  ): Promise<Pick<DomainRecord, 'attachedId' | 'setWww'>>;
  /** RunCloud may not have it any more: the next run of this job reads the list. */
  forgetObserved(key: DomainKey, jobId: string): Promise<void>;
  /** What the monitor found of a settled domain; true if its state, or who must act, has changed. */
  noteMonitored(
    key: DomainKey,
    jobId: string,
    found: { sentence: string; report: Report; isExpiring?: true },
  ): Promise<boolean>;
  /** The domain's last 50 transitions, the newest first. */
  history(key: DomainKey): Promise<Transition[]>;
}

export interface DomainStoreOptions {
  readonly redis: Redis;
  readonly keys: Keys;
  /** They prove that an entry of the outbox is ours (outbox.ts). Undefined: no callbacks. */
  readonly outboxKeys?: string | undefined;
}

type Answer = [fate: EnqueueResult['fate'], jobId: string, gaveWay?: string] | [fate: 'taken', owner: Owner];

export function createDomainStore({ redis, keys, outboxKeys }: DomainStoreOptions): DomainStore {
  // The keys of a script that may write to the outbox.
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
    ...createQueries(redis, keys),
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
}: LifeParts): Pick<DomainStore, 'noteObserved' | 'forgetObserved' | 'noteMonitored' | 'history'> {
  return {
    async noteObserved(key, jobId, { observedAt, attachedAt, attachedWww, id }) {
      const www = attachedWww === undefined ? '' : Number(attachedWww);
      const args = [jobId, observedAt, attachedAt, www, id];
      const [attachedId = '', setWww = ''] = await run<string[]>(NOTE_OBSERVED, [keys.record(key)], args);
      return {
        attachedId: attachedId ? Number(attachedId) : undefined,
        setWww: setWww ? setWww === '1' : undefined,
      };
    },
    async forgetObserved(key, jobId) {
      await run(FORGET_OBSERVED, [keys.record(key)], [jobId]);
    },
    async noteMonitored(key, jobId, { sentence, report, isExpiring }) {
      const args = [jobId, sentence, isExpiring ? '1' : '', ...reportFields(report, undefined), outboxKeys];
      return (await run<number>(NOTE_MONITORED, stepKeys(key), args)) === 1;
    },
    async history(key) {
      const steps = await redis.lrange(keys.history(key), 0, -1);
      return steps.map((step) => JSON.parse(step) as Transition);
    },
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
