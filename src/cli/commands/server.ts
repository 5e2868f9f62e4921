// server: answers over HTTP until a signal stops it.
import type { Command } from 'commander';
import type { Config } from '../../config/load.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { readyAt, STOPPED, serverStopping } from '../messages.ts';

export interface ServerCommand {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Resolves with the name of the first signal. */
  readonly stopped: Promise<string>;
  /** Tells a process manager that the server is ready (PM2's wait_ready). */
  readonly announceReady: () => void;
}

export function addServer(program: Command, { load, untilSignal, announceReady, action }: Cli): void {
  program
    .command('server')
    .description('Serve HTTP until SIGTERM or SIGINT: API, board, health, metrics.')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains server\n  SERVER_PORT=8080 runcloud-domains server',
    )
    .action(action(() => runServer({ ...load(), stopped: untilSignal(), announceReady })));
}

/** Throws when the server cannot start: ConfigError, an address in use. */
export async function runServer(command: ServerCommand): Promise<ExitCode> {
  const { config, warnings, stopped, announceReady } = command;
  const { createServerApp } = await import('../../app/server.ts');
  const app = createServerApp(config);
  const { logger } = app;
  for (const warning of warnings) logger.warn({ event: 'configuration' }, warning);
  const started = app.start().then((url) => {
    const { tokens, boardUsers } = config.server;
    const facts = { url, tokens: tokens.length, boardUsers: boardUsers.length };
    logger.info({ event: 'ready', ...facts }, readyAt(url));
    announceReady();
    return stopped;
  });
  try {
    const why = await Promise.race([started, stopped]);
    logger.info({ event: 'stopping', why }, serverStopping(why));
  } finally {
    await app.close();
  }
  logger.info({ event: 'stopped' }, STOPPED);
  return exitCodes.ok;
}
