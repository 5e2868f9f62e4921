// doctor --survey: shows what it will read, asks, reads, and saves the report.
import { createInterface } from 'node:readline';
import { describeQuestion, QUESTIONS, survey } from '../../doctor/survey.ts';
import { codes } from '../../errors.ts';
import { say } from '../output/layout.ts';
import { type ExitCode, exitCodes, type Terminal } from '../output/terminal.ts';
import { type AccountFlags, type AccountTools, findTarget, save, type Target } from './account.ts';

/** Who is asked: `process.stdin`, or a stand-in. */
export type Answerer = NodeJS.ReadableStream & { readonly isTTY?: boolean };

export async function runSurvey(
  flags: AccountFlags,
  { input, ...tools }: AccountTools & { readonly input: Answerer },
): Promise<ExitCode> {
  const out = flags.out ?? 'runcloud-survey.json';
  const target = findTarget(flags, out, tools);
  if (!target) return exitCodes.usage;
  try {
    announce(target.app.appId, tools.terminal);
    const isAgreed = flags.yes || (await ask(input, tools.terminal));
    return isAgreed ? await read(target, out, tools) : exitCodes.usage;
  } finally {
    target.close();
  }
}

function announce(appId: number, terminal: Terminal): void {
  const what = `what RunCloud answers for web application ${appId}, in ${QUESTIONS.length} calls at most`;
  say(terminal, [
    `The survey reads ${what}, and changes nothing:`,
    ...QUESTIONS.map((question) => `  ${describeQuestion(question)}`),
  ]);
}

async function ask(input: Answerer, terminal: Terminal): Promise<boolean> {
  if (!input.isTTY) {
    terminal.err('Nothing was sent: there is nobody to ask, so add --yes.');
    return false;
  }
  terminal.err('Send these calls? [y/N]');
  const lines = createInterface({ input });
  for await (const line of lines) {
    lines.close();
    if (/^y(es)?$/i.test(line.trim())) return true;
    break;
  }
  terminal.err('Nothing was sent.');
  return false;
}

async function read(target: Target, out: string, { terminal, version }: AccountTools): Promise<ExitCode> {
  const { observations, switches, stopped, isLetIn } = await survey(target.app, target);
  const api = target.version;
  if (!isLetIn) return refused(observations[0]?.status, stopped, terminal);
  save({ report: 'survey', version, api, stopped: stopped ?? null, switches, observations }, out, terminal);
  if (!stopped) return exitCodes.ok;
  terminal.err(`The survey stopped before its end: ${stopped}.`);
  return exitCodes.failed;
}

/** Nothing is saved: whoever runs it again shall find its file's name free. */
function refused(status: number | undefined, why: string | undefined, terminal: Terminal): ExitCode {
  const code = status === 401 ? 'runcloud-unauthorized' : 'runcloud-unreachable';
  const fix =
    status === undefined || status === 401 ? codes[code].fix : '`doctor` says what RunCloud answers.';
  terminal.err(`${why}; nothing was saved. ${fix}`);
  return exitCodes.failed;
}
