// worker: carries out jobs until it is told to stop.
import { createWorkerApp } from '../../app/worker.ts';
import type { Config } from '../../config/load.ts';
import { type ExitCode, exitCodes } from '../output/terminal.ts';

export interface WorkerCommand {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Resolves with the name of the first signal. */
  readonly stopped: Promise<string>;
  /** Tells a process manager that jobs are taken (PM2's wait_ready). */
  readonly announceReady: () => void;
  /** Reads the configuration anew, for corrected credentials. */
  readonly reload: () => Config;
}

/** Throws what keeps the worker from starting: ConfigError, CodedError `redis-unavailable`. */
export async function runWorker({
  config,
  warnings,
  stopped,
  announceReady,
  reload,
}: WorkerCommand): Promise<ExitCode> {
  const app = createWorkerApp(config, reload);
  const { logger } = app;
  for (const warning of warnings) logger.warn({ event: 'configuration' }, warning);
  const { serverId, appId, url } = config.runcloud;
  const started = app.start().then(() => {
    const facts = { serverId, appId, runcloud: url, concurrency: config.worker.concurrency };
    logger.info({ event: 'ready', ...facts }, 'ready for jobs');
    announceReady();
    return stopped;
  });
  try {
    const why = await Promise.race([started, stopped]);
    logger.info({ event: 'stopping', why }, `stopping (${why}): taking no new job, finishing what runs`);
  } finally {
    await app.close();
  }
  logger.info({ event: 'stopped' }, 'stopped');
  return exitCodes.ok;
}
