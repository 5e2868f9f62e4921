// server: answers over HTTP until it is told to stop.
import { createServerApp } from '../../app/server.ts';
import type { Config } from '../../config/load.ts';
import { type ExitCode, exitCodes } from '../output/terminal.ts';

export interface ServerCommand {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Resolves with the name of the first signal. */
  readonly stopped: Promise<string>;
  /** Tells a process manager that requests are taken (PM2's wait_ready). */
  readonly announceReady: () => void;
}

/** Throws what keeps the server from starting: ConfigError, an address that is in use. */
export async function runServer(command: ServerCommand): Promise<ExitCode> {
  const { config, warnings, stopped, announceReady } = command;
  const app = createServerApp(config);
  const { logger } = app;
  for (const warning of warnings) logger.warn({ event: 'configuration' }, warning);
  const started = app.start().then((url) => {
    const { tokens, boardUsers } = config.server;
    const facts = { url, tokens: tokens.length, boardUsers: boardUsers.length };
    logger.info({ event: 'ready', ...facts }, `ready for requests at ${url}`);
    announceReady();
    return stopped;
  });
  try {
    const why = await Promise.race([started, stopped]);
    logger.info(
      { event: 'stopping', why },
      `stopping (${why}): taking no new request, answering what was asked`,
    );
  } finally {
    await app.close();
  }
  logger.info({ event: 'stopped' }, 'stopped');
  return exitCodes.ok;
}
