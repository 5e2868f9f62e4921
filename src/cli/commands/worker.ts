// worker: runs jobs until a signal stops it.
import type { Command } from 'commander';
import type { Tuning } from '../../app/tuning.ts';
import type { Config } from '../../config/load.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { READY_FOR_JOBS, STOPPED, workerStopping } from '../messages.ts';

export interface WorkerCommand {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Resolves with the name of the first signal. */
  readonly stopped: Promise<string>;
  /** Tells a process manager that the worker is ready (PM2's wait_ready). */
  readonly announceReady: () => void;
  /** Reads the configuration again, for corrected credentials. */
  readonly reload: () => Config;
  /** For tests, the soak and the demo. */
  readonly tuning?: Tuning;
}

// `add` and `status` start in half the time when they do not load the worker.
export function addWorker(program: Command, { load, untilSignal, announceReady, action }: Cli): void {
  program
    .command('worker')
    .description('Run jobs until SIGTERM or SIGINT (Ctrl-C). Running jobs are then finished or handed back.')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains worker\n  LOG_LEVEL=debug LOG_FORMAT=pretty runcloud-domains worker',
    )
    .action(
      action(() =>
        runWorker({ ...load(), stopped: untilSignal(), announceReady, reload: () => load().config }),
      ),
    );
}

/** Throws when the worker cannot start: ConfigError, CodedError `redis-unavailable`. */
export async function runWorker({
  config,
  warnings,
  stopped,
  announceReady,
  reload,
  tuning,
}: WorkerCommand): Promise<ExitCode> {
  const { createWorkerApp } = await import('../../app/worker.ts');
  const app = createWorkerApp(config, reload, tuning);
  const { logger } = app;
  for (const warning of warnings) logger.warn({ event: 'configuration' }, warning);
  const { serverId, appId, url } = config.runcloud;
  const started = app.start().then(() => {
    const facts = { serverId, appId, runcloud: url, concurrency: config.worker.concurrency };
    logger.info({ event: 'ready', ...facts }, READY_FOR_JOBS);
    announceReady();
    return stopped;
  });
  try {
    const why = await Promise.race([started, stopped]);
    logger.info({ event: 'stopping', why }, workerStopping(why));
  } finally {
    await app.close();
  }
  logger.info({ event: 'stopped' }, STOPPED);
  return exitCodes.ok;
}
