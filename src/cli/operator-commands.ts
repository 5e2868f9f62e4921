// The commands of operators: how things stand, what failed, trying again, pausing, callbacks, the audit log, access to the server. Only cli.ts uses it; like
// cli.ts it knows commander, and leaves the work to cli/.
import { type Command, Option } from 'commander';
import type { ProducerApp } from '../app/app.ts';
import { auditVerbs } from '../audit/audit.ts';
import { apiRoles, boardRoles } from '../config/load.ts';
import { actors, stateNames } from '../domains/states.ts';
import { type AuditFlags, showAudit } from './commands/audit.ts';
import { createBoardPassword, type PasswordFlags, type PasswordSource } from './commands/board-password.ts';
import { type CallbackFlags, replayDeliveries, showDeliveries } from './commands/callbacks.ts';
import { type FailedFlags, type FilterFlags, retry, showFailed } from './commands/failed.ts';
import { type PauseFlags, pause, resume, type ScopeFlags, showPauses } from './commands/pause.ts';
import { judgeFlags, type StatusFlags, showDomain, showQueue } from './commands/status.ts';
import { createApiToken, type TokenFlags } from './commands/token.ts';
import { type ExitCode, exitCodes, type Terminal } from './output/terminal.ts';

/** What cli.ts lends to commands. */
export interface CommandTools {
  readonly terminal: Terminal;
  readonly input: PasswordSource;
  withRedis(work: (app: ProducerApp) => Promise<ExitCode>): Promise<void>;
  finish(code: ExitCode): void;
}

export function addOperatorCommands(program: Command, tools: CommandTools): void {
  addStatusCommand(program, tools);
  addFailureCommands(program, tools);
  addPauseCommands(program, tools);
  addCallbackCommands(program, tools);
  addAuditCommand(program, tools);
  addAccessCommands(program, tools);
}

const withApp = (command: Command): Command =>
  command
    .option('--app <id>', "only this web application, by RunCloud's id")
    .option('--server <id>', "only this server, by RunCloud's id");

const withFilter = (command: Command): Command =>
  withApp(command).option('--code <code>', 'only jobs that failed with this code');

function addStatusCommand(program: Command, { terminal, withRedis, finish }: CommandTools): void {
  withApp(program.command('status'))
    .description('Show all domains, or one: its state, why, who must act, what was seen, what comes next.')
    .argument('[domain]', 'one domain, on whichever web application it is')
    .option('--state <state...>', `only domains in these states: ${stateNames.join(', ')}`)
    .option('--must-act <who...>', `only domains for which one of these must act: ${actors.join(', ')}`)
    .option('--search <text>', 'only domains whose name holds this')
    .option('--site <id>', 'only domains of this site, as the requests name it')
    .option('--limit <number>', 'how many, the newest request first (default: 50; with --json all)')
    .option('--all', 'all of them')
    .option('--history', 'one domain: all of its last 50 changes of state, not the newest 5 only')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains status --must-act customer --all\n  runcloud-domains status --state held,waiting-for-dns --app 646\n  runcloud-domains status shop.example.org --json',
    )
    .action(async (domain: string | undefined, flags: StatusFlags) => {
      const problem = judgeFlags(domain, flags);
      if (problem) terminal.err(problem);
      if (problem) return finish(exitCodes.usage);
      return withRedis((app) =>
        domain === undefined ? showQueue(app, flags, terminal) : showDomain(domain, app, flags, terminal),
      );
    });
}

function addFailureCommands(program: Command, { terminal, withRedis }: CommandTools): void {
  withFilter(program.command('failed'))
    .description(
      'List the jobs that have failed: why, what to do, and when they are tried again by themselves.',
    )
    .addHelpText('after', '\nExamples:\n  runcloud-domains failed\n  runcloud-domains failed --json')
    .option('--limit <number>', 'how many, the newest first', '100')
    .option('--json', 'print JSON')
    .action((flags: FailedFlags) => withRedis((app) => showFailed(app, flags, terminal)));
  withFilter(program.command('retry'))
    .description(
      'Try failed jobs again, each with a full budget of attempts. A request that a newer one has overtaken stays as it is.',
    )
    .argument('[id...]', 'job ids, as `failed` lists them')
    .option('--all', 'all failed jobs; with --app or --code those')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains retry shop.example.org_1903_646~7\n  runcloud-domains retry --all --code runcloud-unknown-result',
    )
    .action((ids: string[], flags: FilterFlags & { all?: boolean }) =>
      withRedis((app) => retry(ids, flags, app, terminal)),
    );
}

const withScope = (command: Command): Command =>
  command
    .option('--app <id>', 'only this web application')
    .option('--server <id>', 'its server (default: RUNCLOUD_SERVER_ID)')
    .option('--site <id>', 'only this site, as the requests name it');

function addPauseCommands(program: Command, { terminal, withRedis }: CommandTools): void {
  withScope(program.command('pause'))
    .description(
      'Stop jobs from running: all, those of a web application, or those of a site. Requests are still accepted, and no attempt is spent.',
    )
    .requiredOption('--reason <text>', 'why (required); shown wherever a job waits for it')
    .option('--for <time>', 'how long, as 30m or 2h (default: until it is resumed)')
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains pause --reason "moving to another server" --for 2h\n  runcloud-domains pause --app 646 --reason "ticket 4711"',
    )
    .action((flags: PauseFlags) => withRedis((app) => pause(flags, app, terminal)));
  withScope(program.command('resume'))
    .description('End a pause, named as it was made; the jobs go on within a minute.')
    .addHelpText('after', '\nExamples:\n  runcloud-domains resume\n  runcloud-domains resume --app 646')
    .action((flags: ScopeFlags) => withRedis((app) => resume(flags, app, terminal)));
  program
    .command('pauses')
    .description('List what is paused, by whom, until when and why.')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains pauses --json')
    .action((flags: { json?: boolean }) => withRedis((app) => showPauses(flags, app, terminal)));
}

function addCallbackCommands(program: Command, { terminal, withRedis }: CommandTools): void {
  const callbacks = program.command('callbacks').description('What the outside was told by webhook.');
  callbacks
    .command('list')
    .description('List the deliveries, the newest first, and what became of each.')
    .option('--failed', 'only those that were given up')
    .option('--limit <number>', 'how many', '50')
    .option('--before <id>', 'only deliveries older than this one')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains callbacks list --failed')
    .action((flags: CallbackFlags) => withRedis((app) => showDeliveries(app, flags, terminal)));
  callbacks
    .command('replay')
    .description('Send deliveries again, under the same webhook-id and with a full three days.')
    .argument('[id...]', 'ids of deliveries, as `callbacks list` shows them')
    .option('--failed', 'all that were given up')
    .addHelpText('after', '\nExamples:\n  runcloud-domains callbacks replay --failed')
    .action((ids: string[], flags: Pick<CallbackFlags, 'failed'>) =>
      withRedis((app) => replayDeliveries(ids, flags, app, terminal)),
    );
}

function addAuditCommand(program: Command, { terminal, withRedis }: CommandTools): void {
  program
    .command('audit')
    .description(
      'Show who asked for what, and what operators did: who, what, which domains, when; the newest first.',
    )
    .option('--domain <name>', 'only entries that name this domain')
    .option('--what <verb...>', `only these deeds: ${auditVerbs.join(', ')}`)
    .option('--limit <number>', 'how many entries', '50')
    .option('--before <id>', 'only entries older than this one')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains audit --domain shop.example.org')
    .action((flags: AuditFlags) => withRedis((app) => showAudit(flags, app, terminal)));
}

function addAccessCommands(program: Command, { terminal, input, finish }: CommandTools): void {
  program
    .command('token')
    .description("Tokens of the server's HTTP API.")
    .command('create')
    .description('Make a token: print it once, and the entry for API_TOKENS. Nothing is stored.')
    .requiredOption('--name <name>', 'whose it is; stands in logs and in the audit log')
    .addOption(new Option('--role <role>', 'what it may do').choices([...apiRoles]).makeOptionMandatory())
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains token create --name shop --role enqueue')
    .action(async (flags: TokenFlags) => finish(await createApiToken(flags, terminal)));
  program
    .command('board')
    .description("Users of the server's board.")
    .command('password')
    .description(
      'Hash a password for the board, and print the entry for BOARD_USERS. It is asked for, or read from standard input.',
    )
    .requiredOption('--name <name>', 'the name to log in with')
    .addOption(
      new Option('--role <role>', 'what the user may do').choices([...boardRoles]).makeOptionMandatory(),
    )
    .addHelpText('after', '\nExamples:\n  runcloud-domains board password --name ada --role operator')
    .action(async (flags: PasswordFlags) => finish(await createBoardPassword(flags, input, terminal)));
}
