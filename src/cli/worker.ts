// worker: carries out jobs until it is told to stop. `stopped` resolves on the first SIGTERM or SIGINT.
import { createWorkerApp } from '../app.ts';
import type { Config } from '../config.ts';
import { CodedError } from '../errors.ts';
import { type ExitCode, exitCodes } from './terminal.ts';

export interface WorkerCommand {
  readonly config: Config;
  readonly warnings: readonly string[];
  readonly stopped: Promise<string>;
  /** Tells a process manager that jobs are taken (PM2's wait_ready). */
  readonly announceReady: () => void;
}

export async function runWorker({
  config,
  warnings,
  stopped,
  announceReady,
}: WorkerCommand): Promise<ExitCode> {
  const app = createWorkerApp(config);
  for (const warning of warnings) app.logger.warn({ event: 'configuration' }, warning);
  try {
    await Promise.race([app.start(), stopped]);
  } catch (error) {
    await app.close();
    throw error;
  }
  const { serverId, appId, url } = config.runcloud;
  app.logger.info(
    { event: 'ready', serverId, appId, runcloud: url, concurrency: config.worker.concurrency },
    'ready for jobs',
  );
  announceReady();
  const why = await stopped;
  app.logger.info({ event: 'stopping', why }, 'stopping: taking no new job, finishing what runs');
  await app.close();
  app.logger.info({ event: 'stopped' }, 'stopped');
  return exitCodes.ok;
}

/** Exit code of an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof CodedError)) return exitCodes.failed;
  if (error.code === 'redis-unavailable') return exitCodes.unavailable;
  return error.code.startsWith('invalid-') || error.code === 'no-web-application'
    ? exitCodes.usage
    : exitCodes.failed;
}
