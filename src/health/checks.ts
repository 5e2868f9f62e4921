// Whether this installation does its work: named checks with a reason and a fix. The judgement is pure; `createHealth` reads.

import { within } from '../deadline.ts';
import { redisUnavailable } from '../redis/connection.ts';
import { explainHandshake } from '../redis/tls-errors.ts';
import type { WorkerBeat } from './heartbeat.ts';
import type { Vitals } from './vitals.ts';

export const checkNames = [
  'redis',
  'runcloud',
  'credentials',
  'oldest-due-job',
  'sweep',
  'workers',
  'paused',
] as const;
export type CheckName = (typeof checkNames)[number];

export interface Check {
  readonly name: CheckName;
  readonly ok: boolean;
  readonly reason: string;
  /** What to do, where it is not ok. */
  readonly fix?: string;
}

export interface Readiness {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly workers: readonly WorkerBeat[];
}

export interface HealthSettings {
  /** A due job may wait so long for a worker. */
  readonly oldestDueMs: number;
  readonly reconcileIntervalMs: number;
}

/** `vitals` undefined: Redis did not answer, so that nothing else is known; `trouble` is why, where it is known. */
export function examineReadiness(
  vitals: Vitals | undefined,
  settings: HealthSettings,
  trouble = 'Redis does not answer',
): Check[] {
  if (!vitals) {
    const blind = 'not known: it stands in Redis';
    return checkNames.map((name) =>
      name === 'redis'
        ? bad(name, trouble, 'start Redis, or correct REDIS_URL; nothing that was accepted is lost')
        : bad(name, blind, 'see the check `redis`'),
    );
  }
  return [
    good('redis', 'Redis answers'),
    judgeRunCloud(vitals),
    judgeCredentials(vitals),
    judgeOldestDue(vitals, settings),
    judgeReconcile(vitals, settings),
    judgeWorkers(vitals),
    judgePauses(vitals),
  ];
}

const good = (name: CheckName, reason: string): Check => ({ name, ok: true, reason });
const bad = (name: CheckName, reason: string, fix: string): Check => ({ name, ok: false, reason, fix });

function judgeRunCloud({ unavailable }: Vitals): Check {
  if (unavailable?.kind === 'outage')
    return bad('runcloud', unavailable.sentence, 'nothing: jobs go on by themselves when RunCloud is back');
  return good('runcloud', unavailable?.kind === 'throttled' ? unavailable.sentence : 'no outage is known');
}

const judgeCredentials = ({ unavailable }: Vitals): Check =>
  unavailable?.kind === 'account'
    ? bad('credentials', unavailable.sentence, 'look at Limits & Usage > Developer API in RunCloud')
    : unavailable?.kind === 'credentials'
      ? bad(
          'credentials',
          unavailable.sentence,
          'correct RUNCLOUD_API_TOKEN (or the key pair) of the workers',
        )
      : good('credentials', 'RunCloud has not refused them');

function judgeOldestDue({ oldestDueMs, unavailable, pauses }: Vitals, settings: HealthSettings): Check {
  const name = 'oldest-due-job';
  if (oldestDueMs <= settings.oldestDueMs)
    return good(name, oldestDueMs === 0 ? 'no job is due' : `due for ${toSeconds(oldestDueMs)}`);
  const reason = `a job is due for ${toSeconds(oldestDueMs)} and no worker takes it`;
  if (unavailable || isAllPaused(pauses)) return bad(name, reason, 'see the other checks: all jobs are held');
  return bad(
    name,
    reason,
    'start more workers or raise WORKER_CONCURRENCY; restart a worker that takes no jobs',
  );
}

/** So many sweeps may be missed: one may take long. */
const MISSED_SWEEPS = 3;
const SLACK_MS = 60_000;

function judgeReconcile({ at, lastSuccess }: Vitals, { reconcileIntervalMs }: HealthSettings): Check {
  const fix = 'look for `sweep-failed` in the workers’ logs; a running worker sweeps by itself';
  if (lastSuccess.sweep === undefined) return bad('sweep', 'no sweep has finished yet', fix);
  const ageMs = Math.max(0, at - lastSuccess.sweep);
  const reason = `the last sweep finished ${toSeconds(ageMs)} ago`;
  return ageMs <= MISSED_SWEEPS * reconcileIntervalMs + SLACK_MS
    ? good('sweep', reason)
    : bad('sweep', reason, fix);
}

function judgeWorkers({ workers }: Vitals): Check {
  const running = workers.reduce((sum, worker) => sum + worker.running, 0);
  if (workers.length > 0) return good('workers', `${workers.length} running, with ${running} jobs taken`);
  const fix = 'start one: `runcloud-domains worker`; compare REDIS_URL and QUEUE_PREFIX';
  return bad('workers', 'no worker has told of itself for 30 s', fix);
}

function judgePauses({ pauses }: Vitals): Check {
  const reason = pauses.map(({ sentence }) => sentence).join('; ');
  if (isAllPaused(pauses)) return bad('paused', reason, '`runcloud-domains resume`');
  return good('paused', reason || 'nothing is paused');
}

const isAllPaused = (pauses: Vitals['pauses']): boolean => pauses.some(({ scope }) => scope === 'all');

const toSeconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** What the three routes answer with. */
export interface Health {
  /** The process lives: it answers at all. */
  alive(): { readonly status: 'ok'; readonly version: string; readonly uptimeSeconds: number };
  /** `only`: these checks; never rejects, and never takes longer than two seconds. */
  ready(only?: readonly CheckName[]): Promise<Readiness>;
  /** The same as `vitals`, for who shows it. Rejects where Redis does not answer. */
  vitals(): Promise<Vitals>;
}

export interface HealthOptions {
  readonly version: string;
  readonly vitals: () => Promise<Vitals>;
  readonly settings: HealthSettings;
}

const DEADLINE_MS = 1_000;

export function createHealth({ version, vitals, settings }: HealthOptions): Health {
  const read = async (): Promise<Vitals> => {
    const seen = await within(vitals(), DEADLINE_MS, undefined);
    if (!seen) throw redisUnavailable(undefined, DEADLINE_MS);
    return seen;
  };
  return {
    alive: () => ({ status: 'ok', version, uptimeSeconds: Math.round(process.uptime()) }),
    async ready(only = checkNames) {
      const { seen, trouble } = await read().then(
        (vitals) => ({ seen: vitals, trouble: undefined }),
        (error: { cause?: unknown }) => ({ seen: undefined, trouble: explainHandshake(error.cause) }),
      );
      const checks = examineReadiness(seen, settings, trouble).filter(({ name }) => only.includes(name));
      return { ok: checks.every(({ ok }) => ok), checks, workers: seen?.workers ?? [] };
    },
    vitals: read,
  };
}

/** `?only=redis,workers`; undefined where a name is none of ours. */
export function parseOnly(text: string | null | undefined): readonly CheckName[] | undefined {
  if (!text) return checkNames;
  const desired = text.split(',');
  const found = checkNames.filter((name) => desired.includes(name));
  return found.length === new Set(desired).size ? found : undefined;
}

export const unknownCheck = `only= names checks with commas between them: ${checkNames.join(', ')}`;
