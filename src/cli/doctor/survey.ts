// doctor --survey: shows the calls, waits for a confirmation, reads, and saves the report.
import { createInterface } from 'node:readline';
import { describeRequest, REQUESTS, survey } from '../../doctor/survey.ts';
import { codes } from '../../errors.ts';
import type { Input } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { say } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';
import { type AccountFlags, type AccountTools, findTarget, save, type Target } from './account.ts';
import * as messages from './messages.ts';

export async function runSurvey(
  flags: AccountFlags,
  { input, ...tools }: AccountTools & { readonly input: Input },
): Promise<ExitCode> {
  const out = flags.out ?? 'runcloud-survey.json';
  const target = findTarget(flags, out, tools);
  if (!target) return exitCodes.usage;
  try {
    announce(target.app.appId, tools.terminal);
    const isAgreed = flags.yes || (await isConfirmed(input, tools.terminal));
    return isAgreed ? await read(target, out, tools) : exitCodes.usage;
  } finally {
    target.close();
  }
}

function announce(appId: number, terminal: Terminal): void {
  say(terminal, [
    messages.surveyReads(appId, REQUESTS.length),
    ...REQUESTS.map((question) => `  ${describeRequest(question)}`),
  ]);
}

async function isConfirmed(input: Input, terminal: Terminal): Promise<boolean> {
  if (!input.isTTY) {
    terminal.err(messages.NOBODY_TO_CONFIRM);
    return false;
  }
  terminal.err(messages.CONFIRM_CALLS);
  const lines = createInterface({ input });
  for await (const line of lines) {
    lines.close();
    if (/^y(es)?$/i.test(line.trim())) return true;
    break;
  }
  terminal.err(messages.NOTHING_SENT);
  return false;
}

async function read(target: Target, out: string, { terminal, version }: AccountTools): Promise<ExitCode> {
  const { observations, switches, stopped, isAuthorized: isLetIn } = await survey(target.app, target);
  const api = target.version;
  if (!isLetIn) return refused(observations[0]?.status, stopped, terminal);
  save({ report: 'survey', version, api, stopped: stopped ?? null, switches, observations }, out, terminal);
  if (!stopped) return exitCodes.ok;
  terminal.err(messages.surveyStopped(stopped));
  return exitCodes.failed;
}

/** Saves nothing, so that the file's name is free for the next run. */
function refused(status: number | undefined, why: string | undefined, terminal: Terminal): ExitCode {
  const code = status === 401 ? 'runcloud-unauthorized' : 'runcloud-unreachable';
  const fix = status === undefined || status === 401 ? codes[code].fix : messages.RUN_DOCTOR;
  terminal.err(messages.surveyRejected(why ?? '', fix));
  return exitCodes.failed;
}
