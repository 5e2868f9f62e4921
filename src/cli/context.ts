// What the command line has of its process, and what each command gets to work with.
import { createProducerApp, type ProducerApp } from '../app/app.ts';
import { type Config, type LoadedConfig, loadConfig, secretsOf } from '../config/load.ts';
import { createScrub } from '../logger/logger.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { auditLost, configurationWarning } from './messages.ts';
import type { OutputStream } from './output/streams.ts';
import type { OpenTerminal, Terminal } from './output/terminal.ts';

/** Standard input, or a stand-in. */
export type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** The process as the command line sees it. `main.ts` hands in the real one, a test its own. */
export interface Process {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working directory: `.env` is read there. */
  readonly directory: string;
  readonly streams: {
    readonly stdin: Input;
    readonly stdout: OutputStream;
    readonly stderr: OutputStream;
  };
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** Of Node, such as `24.4.0`. */
  readonly nodeVersion: string;
  readonly isClusterWorker: boolean;
  /** Resolves with the name of the first signal. */
  untilSignal(): Promise<string>;
  /** Tells a process manager that the program is ready (PM2's wait_ready). */
  announceReady(): void;
}

export type Work = (app: ProducerApp) => Promise<ExitCode>;

/** What each command gets. */
export interface Cli extends Pick<Process, 'untilSignal' | 'announceReady'> {
  readonly terminal: Terminal;
  input(): Input;
  /**
   * Reads the configuration. From then on its secrets are hidden in all output. Throws ConfigError.
   */
  load(): LoadedConfig;
  /**
   * Does not wait for Redis: the work fails on its first command. Prints the configuration's
   * warnings.
   */
  withProducer(work: Work): Promise<ExitCode>;
  withRedis(work: Work): Promise<ExitCode>;
  /** An action for commander: its exit code is the command's. */
  action<A extends unknown[]>(work: (...args: A) => Promise<ExitCode>): (...args: A) => Promise<void>;
  /** Of the last action. */
  exitCode(): ExitCode;
}

export function createCli(outside: Process, terminal: OpenTerminal): Cli {
  let exitCode: ExitCode = exitCodes.ok;
  const load = (): LoadedConfig => {
    const loaded = loadConfig(outside.env, outside.directory);
    terminal.hide(createScrub(secretsOf(loaded.config)));
    return loaded;
  };
  const configured = (): Config => {
    const { config, warnings } = load();
    for (const warning of warnings) terminal.err(configurationWarning(warning));
    return config;
  };
  const withProducer = async (work: Work): Promise<ExitCode> => {
    const app = createProducerApp(configured(), {
      onAuditLost: (entry, error) => terminal.err(auditLost(JSON.stringify(entry), error)),
    });
    try {
      return await work(app);
    } finally {
      await app.close();
    }
  };
  return {
    terminal,
    input: () => outside.streams.stdin,
    load,
    withProducer,
    withRedis: (work) =>
      withProducer(async (app) => {
        await app.ready();
        return work(app);
      }),
    untilSignal: () => outside.untilSignal(),
    announceReady: () => outside.announceReady(),
    action:
      (work) =>
      async (...args) => {
        exitCode = await work(...args);
      },
    exitCode: () => exitCode,
  };
}
