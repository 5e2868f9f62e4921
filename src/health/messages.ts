// The sentences of the health checks: a reason, and what to do. Pure.

const toSeconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

export const redisDown = 'Redis does not answer';
export const redisOk = 'Redis answers';
export const redisFix = 'start Redis, or correct REDIS_URL; no accepted request is lost';
export const unknownWithoutRedis = 'unknown: Redis does not answer';
export const seeRedis = 'see the check `redis`';

export const outageFix = 'nothing: jobs continue automatically when RunCloud is back';
export const noOutage = 'no outage is known';
export const accountFix = 'check Limits & Usage > Developer API in RunCloud';
export const credentialsFix = 'correct RUNCLOUD_API_TOKEN (or the key pair) of the workers';
export const credentialsOk = 'RunCloud has not rejected them';

export const dueFor = (ms: number): string => (ms === 0 ? 'no job is due' : `due for ${toSeconds(ms)}`);
export const notTaken = (ms: number): string => `a job is due for ${toSeconds(ms)} and no worker takes it`;
export const jobsWaitFix = 'see the other checks: all jobs wait';
export const notTakenFix =
  'start more workers or raise WORKER_CONCURRENCY; restart a worker that takes no jobs';

export const neverReconciled = 'the reconcile loop has not finished yet';
export const reconciledAgo = (ms: number): string => `the reconcile loop finished ${toSeconds(ms)} ago`;
export const reconcileFix = "search the workers' logs for `reconcile-failed`; each running worker reconciles";

export const workersRunning = (workers: number, jobs: number): string =>
  `${workers} running, with ${jobs} jobs taken`;
export const noHeartbeat = 'no worker heartbeat for 30 s';
export const noHeartbeatFix = 'start one: `runcloud-domains worker`; compare REDIS_URL and QUEUE_PREFIX';

export const nothingPaused = 'nothing is paused';
export const pausedFix = '`runcloud-domains resume`';
