#!/usr/bin/env node
// argv to commands. The only file that sees argv, the console, signals and exit codes.
import cluster from 'node:cluster';
import { Command, CommanderError, Option } from 'commander';
import { createProducerApp, type ProducerApp } from '../app/app.ts';
import type { OnAuditLost } from '../audit/audit.ts';
import {
  type Config,
  ConfigError,
  type LoadedConfig,
  loadConfig,
  secretsOf,
  terminalColumns,
} from '../config/load.ts';
import { CodedError, hasCode, isReplyError, reasonOf } from '../errors.ts';
import type { JobName } from '../jobs/catalog.ts';
import { createScrub } from '../logger/logger.ts';
import { toMissingRight } from '../redis/connection.ts';
import { toVisible } from '../untrusted/visible-text.ts';
import { version } from '../version.ts';
import { type EnqueueFlags, enqueue } from './enqueue.ts';
import { addLookCommands } from './look-commands.ts';
import { addOperatorCommands } from './operator-commands.ts';
import { wrapAll } from './output/layout.ts';
import { createOutput, toOutputReason } from './output/streams.ts';
import {
  describeListenError,
  type ExitCode,
  exitCodeOf,
  exitCodes,
  type Terminal,
} from './output/terminal.ts';

let exitCode: ExitCode = exitCodes.ok;

/** Takes the configuration's secrets out of what is printed: somebody may have put one into a payload. */
let hide = (text: string): string => text;
/** Whether a command tells by itself that nobody has read what it showed. */
let tellsItself = false;
/** Who reads no more (`| head`) wants no more: the command ends there, quietly. */
const onUnread = (code: string): void => {
  if (code === 'EPIPE' && !tellsItself) process.exit(exitCode);
};
/** In a cluster the file descriptor is the primary's: PM2 has its own streams there. */
const byStream = ({ isTTY }: NodeJS.WriteStream): boolean => isTTY === true || cluster.isWorker;
const output = createOutput(process.stdout, byStream(process.stdout), onUnread);
/** What cannot be told there cannot be told at all, and ends nothing. */
const errors = createOutput(process.stderr, byStream(process.stderr));

const terminal: Terminal = {
  out: (line) => output.write(`${toVisible(hide(line))}\n`),
  err: (text) => errors.write(`${wrapAll(toVisible(hide(text)), terminalColumns(process.stderr))}\n`),
  async written() {
    tellsItself = true;
    const code = await output.written();
    if (output.isDiscarded) return 'standard output is closed, or /dev/null';
    return code === undefined ? undefined : toOutputReason(code);
  },
  isTty: process.stdout.isTTY === true,
  columns: terminalColumns(process.stdout),
};

const EXIT_CODES = `
Exit codes:
  0  done        1  it was tried and failed        2  bad input or configuration
  3  Redis is away: send again, repeating is harmless        130  stopped by Ctrl-C`;

const finish = (code: ExitCode): void => {
  exitCode = code;
};

/** Resolves with the name of the first signal; the second one ends the process at once. */
function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      resolve(signal);
      process.once(signal, () => process.exit(130));
    };
    process.once('SIGINT', onSignal);
    process.once('SIGTERM', onSignal);
  });
}

/** The configuration; from now on its secrets are hidden in what is printed. */
function load(): LoadedConfig {
  const loaded = loadConfig();
  hide = createScrub(secretsOf(loaded.config));
  return loaded;
}

function configured(): Config {
  const { config, warnings } = load();
  for (const warning of warnings) terminal.err(`warning: ${warning}`);
  return config;
}

async function withProducer(work: (app: ProducerApp) => Promise<ExitCode>): Promise<void> {
  const onAuditLost: OnAuditLost = (entry, error) =>
    terminal.err(`warning: the audit log did not take ${JSON.stringify(entry)}: ${reasonOf(error)}`);
  const app = createProducerApp(configured(), { onAuditLost });
  try {
    finish(await work(app));
  } finally {
    await app.close();
  }
}

const withRedis = (work: (app: ProducerApp) => Promise<ExitCode>): Promise<void> =>
  withProducer(async (app) => {
    await app.ready();
    return work(app);
  });

const enqueueCommand = (program: Command, name: string, job: JobName, summary: string): Command =>
  program
    .command(name)
    .summary(summary)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .option('--server <id>', "RunCloud's id of the server (default: RUNCLOUD_SERVER_ID)")
    .option('--app <id>', "RunCloud's id of the web application (default: RUNCLOUD_APP_ID)")
    .option('--wait', 'follow the jobs to their end; exit 1 where one fails')
    .option('--json', 'print the results as JSON')
    .action((domains: string[] | string | undefined, flags: EnqueueFlags) =>
      withProducer((app) => enqueue(job, [domains ?? []].flat(), flags, app, terminal, untilSignal)),
    );

function addEnqueueCommands(program: Command): void {
  enqueueCommand(
    program,
    'add',
    'add-domain',
    'attach domains to the web application, then have its certificate cover them',
  )
    .argument('[domain...]', 'domain names')
    .option('--file <path>', 'a file with one domain per line (`-`: standard input)')
    .option('--also', 'on this web application as well, where another has the domain already')
    .option('--site <id>', 'the site that the domains belong to, for your own reference')
    .addOption(
      new Option('--www <when>', 'attach the www name too')
        .choices(['auto', 'true', 'false'])
        .default('auto'),
    )
    .addOption(
      new Option('--redirection <kind>', 'which name redirects to the other').choices([
        'none',
        'www',
        'non-www',
      ]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains add shop.example.org --wait\n  runcloud-domains add --file customers.txt --www false',
    );
  enqueueCommand(program, 'remove', 'remove-domain', 'take domains off the web application')
    .argument('[domain...]', 'domain names')
    .option('--file <path>', 'a file with one domain per line (`-`: standard input)')
    .option('--site <id>', 'the site that the domains belonged to, for your own reference')
    .addHelpText('after', '\nExamples:\n  runcloud-domains remove shop.example.org --wait');
  enqueueCommand(program, 'redeploy', 'redeploy-ssl', 'have RunCloud issue the certificate anew, now')
    .argument('[domain]', 'advanced SSL: only this domain (default: all)')
    .addHelpText('after', '\nExamples:\n  runcloud-domains redeploy --wait');
}

const announceReady = (): void => void process.send?.('ready');

// What each of these needs is loaded when it is asked for, so that `add` and `status` start in half the time.
function addProcessCommands(program: Command): void {
  program
    .command('worker')
    .description(
      'Carry out jobs until SIGTERM or SIGINT (Ctrl-C); what runs then is finished or handed back.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains worker\n  LOG_LEVEL=debug LOG_FORMAT=pretty runcloud-domains worker',
    )
    .action(async () => {
      const { runWorker } = await import('./commands/worker.ts');
      const loaded = loadConfig();
      finish(
        await runWorker({
          ...loaded,
          stopped: untilSignal(),
          announceReady,
          reload: () => loadConfig().config,
        }),
      );
    });
  program
    .command('server')
    .description('Answer over HTTP until SIGTERM or SIGINT: API, board, health, metrics.')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains server\n  SERVER_PORT=8080 runcloud-domains server',
    )
    .action(async () => {
      const { runServer } = await import('./commands/server.ts');
      finish(await runServer({ ...loadConfig(), stopped: untilSignal(), announceReady }));
    });
}

function inherit(parent: Command): void {
  for (const command of parent.commands) inherit(command.exitOverride().copyInheritedSettings(parent));
}

function createProgram(): Command {
  const program = new Command('runcloud-domains')
    .description("Puts customers' domains on a RunCloud web application, through a queue that loses nothing.")
    .version(version)
    .addHelpText(
      'after',
      `${EXIT_CODES}\n\nConfiguration: environment or .env, see docs/reference/configuration.md; \`doctor\` checks it.`,
    )
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .showSuggestionAfterError()
    .exitOverride();
  addProcessCommands(program);
  addLookCommands(program, { terminal, input: process.stdin, withRedis, finish, untilSignal, load });
  addEnqueueCommands(program);
  addOperatorCommands(program, { terminal, input: process.stdin, withRedis, finish });
  inherit(program);
  return program;
}

function explain(thrown: unknown): ExitCode {
  const error = (isReplyError(thrown) && toMissingRight(thrown)) || thrown;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof ConfigError) {
    terminal.err(error.message);
    return exitCodes.usage;
  }
  const isSilent = hasCode(error, 'redis-unavailable') && error.message.startsWith('Redis did not answer');
  const hint = isSilent ? '; is it running, and is REDIS_URL right?' : '';
  const code = error instanceof CodedError ? `${hint} [${error.code}]` : '';
  const refused = isReplyError(error) ? 'Redis refused it: ' : '';
  terminal.err(`error: ${describeListenError(error) ?? `${refused}${reasonOf(error)}`}${code}`);
  return exitCodeOf(error);
}

const NEEDED_NODE = 24;
if (Number(process.versions.node.split('.')[0]) < NEEDED_NODE) {
  terminal.err(`runcloud-domains needs Node.js ${NEEDED_NODE} or newer; this is ${process.versions.node}`);
  process.exit(exitCodes.usage);
}

await createProgram()
  .parseAsync()
  .catch((error: unknown) => finish(explain(error)));
// To a pipe, Node writes later: what is left would be lost.
const unwritten = await output.written();
if (unwritten !== undefined && unwritten !== 'EPIPE') {
  terminal.err(`error: standard output could not be written: ${toOutputReason(unwritten)}`);
  if (exitCode === exitCodes.ok) finish(exitCodes.failed);
}
await errors.written();
process.exit(exitCode);
