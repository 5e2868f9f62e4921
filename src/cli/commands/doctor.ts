// doctor: checks the configuration and all that it names. --survey and --try-domain find out how
// RunCloud answers.
import type { Command } from 'commander';
import { createDoctor } from '../../app/app.ts';
import { version } from '../../version.ts';
import type { Cli } from '../context.ts';
import { showFindings } from '../doctor/checks.ts';
import { CERTIFICATE_NEEDS_TRIAL, CHECKS_ONLY, ONE_AT_A_TIME } from '../doctor/messages.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

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

const EXAMPLES = `
Examples:
  runcloud-domains doctor
  runcloud-domains doctor --redis-only
  runcloud-domains doctor --survey
  runcloud-domains doctor --try-domain trial.example.org --yes`;

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description(
      'Check configuration, Redis, credentials, server, web application and SSL. Each line is ok, warn or fail, with the fix. --survey and --try-domain find out how RunCloud answers for this account.',
    )
    .option('--redis-only', 'only configuration and Redis (for container health checks)')
    .option('--json', 'print JSON')
    .option('--survey', 'read how RunCloud answers (19 calls at most); saves no names, ids or values')
    .option('--try-domain <name>', 'attach an unused name, check it, and remove it again; saves the same')
    .option('--with-certificate', 'with --try-domain, advanced SSL: also try a staging certificate')
    .option('--yes', 'skip the confirmation')
    .option('--out <file>', 'report file (default: runcloud-survey.json, runcloud-try-domain.json)')
    .option('--server <id>', "RunCloud's id of the server (default: RUNCLOUD_SERVER_ID)")
    .option('--app <id>', "RunCloud's id of the web application (default: RUNCLOUD_APP_ID)")
    .addHelpText('after', EXAMPLES)
    .action(cli.action((flags: DoctorFlags) => runDoctor(flags, cli)));
}

async function runDoctor(flags: DoctorFlags, cli: Cli): Promise<ExitCode> {
  const { terminal, load } = cli;
  const problem = judgeFlags(flags);
  if (problem) terminal.err(problem);
  if (problem) return exitCodes.usage;
  if (flags.survey) {
    const { runSurvey } = await import('../doctor/survey.ts');
    return runSurvey(flags, { config: load().config, version, terminal, input: cli.input() });
  }
  return flags.tryDomain === undefined ? check(flags, cli) : tryDomain(flags.tryDomain, flags, cli);
}

function judgeFlags({
  survey,
  tryDomain,
  withCertificate,
  json,
  redisOnly,
}: DoctorFlags): string | undefined {
  if (survey && tryDomain !== undefined) return ONE_AT_A_TIME;
  if (withCertificate && tryDomain === undefined) return CERTIFICATE_NEEDS_TRIAL;
  const isAccount = survey || tryDomain !== undefined;
  return isAccount && (json || redisOnly) ? CHECKS_ONLY : undefined;
}

const tryDomain = (
  name: string,
  flags: DoctorFlags,
  { terminal, load, untilSignal, withRedis }: Cli,
): Promise<ExitCode> =>
  withRedis(async (producer) => {
    const { runTrial } = await import('../doctor/trial.ts');
    const stopped = untilSignal();
    return runTrial(name, flags, { config: load().config, version, terminal, producer, stopped });
  });

async function check({ redisOnly, json }: DoctorFlags, { load, terminal }: Cli): Promise<ExitCode> {
  const loaded = load();
  const doctor = createDoctor(loaded.config);
  try {
    return await showFindings(doctor.examine(redisOnly ? 'redis' : 'all'), loaded, { json }, terminal);
  } finally {
    await doctor.close();
  }
}
