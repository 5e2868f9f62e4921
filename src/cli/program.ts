// The command line as a function: arguments and a process in, an exit code out.
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../config/load.ts';
import { CodedError, hasCode, isReplyError, reasonOf } from '../errors.ts';
import { toMissingRight } from '../redis/connection.ts';
import { version } from '../version.ts';
import { addAdd } from './commands/add.ts';
import { addAudit } from './commands/audit.ts';
import { addBoardPassword } from './commands/board-password.ts';
import { addCallbacks } from './commands/callbacks.ts';
import { addDoctor } from './commands/doctor.ts';
import { addFailed } from './commands/failed.ts';
import { addPause } from './commands/pause.ts';
import { addRedeploy } from './commands/redeploy.ts';
import { addRemove } from './commands/remove.ts';
import { addRetry } from './commands/retry.ts';
import { addServer } from './commands/server.ts';
import { addStatus } from './commands/status.ts';
import { addToken } from './commands/token.ts';
import { addWorker } from './commands/worker.ts';
import { type Cli, createCli, type Process } from './context.ts';
import { describeListenError, type ExitCode, exitCodeOf, exitCodes } from './exit-codes.ts';
import { CONFIGURATION_HELP, commandFailed, DESCRIPTION, EXIT_CODES_HELP, nodeTooOld } from './messages.ts';
import { openTerminal, type Terminal } from './output/terminal.ts';

/** In the order of `--help`. */
const commands: readonly ((program: Command, cli: Cli) => void)[] = [
  addWorker,
  addServer,
  addDoctor,
  addAdd,
  addRemove,
  addRedeploy,
  addStatus,
  addFailed,
  addRetry,
  addPause,
  addCallbacks,
  addAudit,
  addToken,
  addBoardPassword,
];

const NEEDED_NODE = 24;
const USUAL_COLUMNS = 80;

/** Never throws: what goes wrong is printed, and becomes the exit code. */
export async function run(argv: readonly string[], outside: Process): Promise<ExitCode> {
  const gone = Promise.withResolvers<void>();
  const terminal = openTerminal({ ...outside, onReaderGone: gone.resolve });
  const cli = createCli(outside, terminal);
  const ended =
    Number(outside.nodeVersion.split('.')[0]) < NEEDED_NODE ? refuse(outside, terminal) : parse(argv, cli);
  // A reader that is gone (`| head`) ends the command quietly, in the middle of its work.
  const isAbandoned = await Promise.race([ended.then(() => false), gone.promise.then(() => true)]);
  if (isAbandoned) return cli.exitCode();
  const exitCode = await ended;
  // Node writes to a pipe later: an exit before that loses output.
  const isWritten = await terminal.close();
  return !isWritten && exitCode === exitCodes.ok ? exitCodes.failed : exitCode;
}

async function refuse({ nodeVersion }: Process, terminal: Terminal): Promise<ExitCode> {
  terminal.err(nodeTooOld(NEEDED_NODE, nodeVersion));
  return exitCodes.usage;
}

async function parse(argv: readonly string[], cli: Cli): Promise<ExitCode> {
  try {
    await createProgram(cli).parseAsync(argv, { from: 'user' });
    return cli.exitCode();
  } catch (error) {
    return explain(error, cli.terminal);
  }
}

/** All commands, registered; nothing runs yet. */
export function createProgram(cli: Cli): Command {
  const { terminal } = cli;
  const program = new Command('runcloud-domains')
    .description(DESCRIPTION)
    .version(version)
    .addHelpText('after', `${EXIT_CODES_HELP}\n\n${CONFIGURATION_HELP}`)
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      getOutHelpWidth: () => terminal.columns ?? USUAL_COLUMNS,
      getErrHelpWidth: () => terminal.columns ?? USUAL_COLUMNS,
    })
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of commands) add(program, cli);
  inherit(program);
  return program;
}

function inherit(parent: Command): void {
  for (const command of parent.commands) inherit(command.exitOverride().copyInheritedSettings(parent));
}

function explain(thrown: unknown, terminal: Terminal): ExitCode {
  const error = (isReplyError(thrown) && toMissingRight(thrown)) || thrown;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof ConfigError) {
    terminal.err(error.message);
    return exitCodes.usage;
  }
  const sentence = describeListenError(error) ?? reasonOf(error);
  terminal.err(
    commandFailed({
      sentence,
      code: error instanceof CodedError ? error.code : undefined,
      isRedisAway: hasCode(error, 'redis-unavailable'),
      isReply: isReplyError(error),
    }),
  );
  return exitCodeOf(error);
}
