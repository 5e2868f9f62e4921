// Whether this installation works: named checks with a reason and a fix. The checks are pure; `createHealth` reads.

import { within } from '../deadline.ts';
import { redisUnavailable } from '../redis/connection.ts';
import { explainHandshake } from '../redis/tls-errors.ts';
import type { WorkerBeat } from './heartbeat.ts';
import * as messages from './messages.ts';
import type { Vitals } from './vitals.ts';

export const checkNames = [
  'redis',
  'runcloud',
  'credentials',
  'oldest-due-job',
  'reconcile',
  'workers',
  'paused',
] as const;
export type CheckName = (typeof checkNames)[number];

export interface Check {
  readonly name: CheckName;
  readonly ok: boolean;
  readonly reason: string;
  /** What to do if it is not ok. */
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

/** `vitals` undefined: Redis did not answer, so nothing else is known; `trouble` is why, if known. */
export function examineReadiness(
  vitals: Vitals | undefined,
  settings: HealthSettings,
  trouble: string = messages.redisDown,
): Check[] {
  if (!vitals)
    return checkNames.map((name) =>
      name === 'redis'
        ? bad(name, trouble, messages.redisFix)
        : bad(name, messages.unknownWithoutRedis, messages.seeRedis),
    );
  return [
    good('redis', messages.redisOk),
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
  if (unavailable?.kind === 'outage') return bad('runcloud', unavailable.sentence, messages.outageFix);
  return good('runcloud', unavailable?.kind === 'throttled' ? unavailable.sentence : messages.noOutage);
}

function judgeCredentials({ unavailable }: Vitals): Check {
  const name = 'credentials';
  if (unavailable?.kind === 'account') return bad(name, unavailable.sentence, messages.accountFix);
  if (unavailable?.kind === 'credentials') return bad(name, unavailable.sentence, messages.credentialsFix);
  return good(name, messages.credentialsOk);
}

function judgeOldestDue({ oldestDueMs, unavailable, pauses }: Vitals, settings: HealthSettings): Check {
  const name = 'oldest-due-job';
  if (oldestDueMs <= settings.oldestDueMs) return good(name, messages.dueFor(oldestDueMs));
  const fix = unavailable || isAllPaused(pauses) ? messages.jobsWaitFix : messages.notTakenFix;
  return bad(name, messages.notTaken(oldestDueMs), fix);
}

/** So many rounds may be missed: one may take long. */
const MISSED_ROUNDS = 3;
const SLACK_MS = 60_000;

function judgeReconcile({ at, lastSuccess }: Vitals, { reconcileIntervalMs }: HealthSettings): Check {
  const name = 'reconcile';
  if (lastSuccess.reconcile === undefined) return bad(name, messages.neverReconciled, messages.reconcileFix);
  const ageMs = Math.max(0, at - lastSuccess.reconcile);
  const reason = messages.reconciledAgo(ageMs);
  return ageMs <= MISSED_ROUNDS * reconcileIntervalMs + SLACK_MS
    ? good(name, reason)
    : bad(name, reason, messages.reconcileFix);
}

function judgeWorkers({ workers }: Vitals): Check {
  const running = workers.reduce((sum, worker) => sum + worker.running, 0);
  if (workers.length > 0) return good('workers', messages.workersRunning(workers.length, running));
  return bad('workers', messages.noHeartbeat, messages.noHeartbeatFix);
}

function judgePauses({ pauses }: Vitals): Check {
  const reason = pauses.map(({ sentence }) => sentence).join('; ');
  if (isAllPaused(pauses)) return bad('paused', reason, messages.pausedFix);
  return good('paused', reason || messages.nothingPaused);
}

const isAllPaused = (pauses: Vitals['pauses']): boolean => pauses.some(({ scope }) => scope === 'all');

/** The answers of the three routes. */
export interface Health {
  /** The process lives: it answers at all. */
  alive(): { readonly status: 'ok'; readonly version: string; readonly uptimeSeconds: number };
  /** `only`: these checks; never rejects, and never takes longer than two seconds. */
  ready(only?: readonly CheckName[]): Promise<Readiness>;
  /** The vitals themselves. Rejects if Redis does not answer. */
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
    const found = await within(vitals(), DEADLINE_MS, undefined);
    if (!found) throw redisUnavailable(undefined, DEADLINE_MS);
    return found;
  };
  return {
    alive: () => ({ status: 'ok', version, uptimeSeconds: Math.round(process.uptime()) }),
    async ready(only = checkNames) {
      const { vitals: found, trouble } = await read().then(
        (value) => ({ vitals: value, trouble: undefined }),
        (error: { cause?: unknown }) => ({ vitals: undefined, trouble: explainHandshake(error.cause) }),
      );
      const checks = examineReadiness(found, settings, trouble).filter(({ name }) => only.includes(name));
      return { ok: checks.every(({ ok }) => ok), checks, workers: found?.workers ?? [] };
    },
    vitals: read,
  };
}

/** `?only=redis,workers`; undefined if a name is unknown. */
export function parseOnly(text: string | null | undefined): readonly CheckName[] | undefined {
  if (!text) return checkNames;
  const desired = text.split(',');
  const found = checkNames.filter((name) => desired.includes(name));
  return found.length === new Set(desired).size ? found : undefined;
}

export const unknownCheck = `only= names checks with commas between them: ${checkNames.join(', ')}`;
