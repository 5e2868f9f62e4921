// The command doctor, for main.ts. Like main.ts it knows commander and leaves the work to the other files.
import type { Command } from 'commander';
import { createDoctor } from '../app/app.ts';
import type { LoadedConfig } from '../config/load.ts';
import { showFindings } from './doctor/checks.ts';
import type { CommandTools } from './operator-commands.ts';
import { type ExitCode, exitCodes } from './output/terminal.ts';

export interface LookTools extends CommandTools {
  /** Resolves with the name of the first signal. */
  untilSignal(): Promise<string>;
  load(): LoadedConfig;
}

interface DoctorFlags {
  readonly redisOnly?: boolean;
  readonly json?: boolean;
  readonly survey?: boolean;
  readonly tryDomain?: string;
  readonly withCertificate?: boolean;
  readonly yes?: boolean;
  readonly out?: string;
  readonly server?: string;
  readonly app?: string;
}

export function addLookCommands(program: Command, tools: LookTools): void {
  addDoctorCommand(program, tools);
}

function addDoctorCommand(program: Command, tools: LookTools): void {
  program
    .command('doctor')
    .description(
      'Check configuration, Redis, credentials, server, web application and SSL; each line ok, warn or fail with the fix. With --survey or --try-domain: find out what RunCloud answers for this account.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains doctor\n  runcloud-domains doctor --redis-only\n  runcloud-domains doctor --survey\n  runcloud-domains doctor --try-domain trial.example.org --yes',
    )
    .option('--redis-only', 'only configuration and Redis (for container health checks)')
    .option('--json', 'print JSON')
    .option(
      '--survey',
      'read what RunCloud answers (19 calls at most), and save it without names, ids and values',
    )
    .option(
      '--try-domain <name>',
      'attach a name that nobody uses, look, and take it off again; saves the same',
    )
    .option(
      '--with-certificate',
      'with --try-domain, advanced SSL: try a certificate of the staging environment too',
    )
    .option('--yes', 'do not ask')
    .option(
      '--out <file>',
      'where to save the report (default: runcloud-survey.json, runcloud-try-domain.json)',
    )
    .option('--server <id>', "RunCloud's id of the server (default: RUNCLOUD_SERVER_ID)")
    .option('--app <id>', "RunCloud's id of the web application (default: RUNCLOUD_APP_ID)")
    .action((flags: DoctorFlags) => runDoctor(flags, program.version() ?? '', tools));
}

async function runDoctor(flags: DoctorFlags, version: string, tools: LookTools): Promise<void> {
  const { terminal, finish, load, input } = tools;
  const problem = judgeFlags(flags);
  if (problem) terminal.err(problem);
  if (problem) return finish(exitCodes.usage);
  if (flags.survey) {
    const { runSurvey } = await import('./doctor/survey.ts');
    return finish(await runSurvey(flags, { config: load().config, version, terminal, input }));
  }
  if (flags.tryDomain !== undefined) return tryDomain(flags.tryDomain, flags, version, tools);
  finish(await check(flags, tools));
}

function judgeFlags({
  survey,
  tryDomain,
  withCertificate,
  json,
  redisOnly,
}: DoctorFlags): string | undefined {
  if (survey && tryDomain !== undefined) return 'either --survey or --try-domain, one after the other';
  if (withCertificate && tryDomain === undefined) return '--with-certificate belongs to --try-domain';
  const isAccount = survey || tryDomain !== undefined;
  return isAccount && (json || redisOnly) ? '--json and --redis-only are for the checks alone' : undefined;
}

function tryDomain(name: string, flags: DoctorFlags, version: string, tools: LookTools): Promise<void> {
  const { terminal, load, untilSignal, withRedis } = tools;
  return withRedis(async (producer) => {
    const { runTrial } = await import('./doctor/trial.ts');
    const stopped = untilSignal();
    return runTrial(name, flags, { config: load().config, version, terminal, producer, stopped });
  });
}

async function check({ redisOnly, json }: DoctorFlags, { load, terminal }: LookTools): Promise<ExitCode> {
  const loaded = load();
  const doctor = createDoctor(loaded.config);
  try {
    return await showFindings(doctor.examine(redisOnly ? 'redis' : 'all'), loaded, { json }, terminal);
  } finally {
    await doctor.close();
  }
}
