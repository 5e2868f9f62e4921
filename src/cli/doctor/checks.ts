// doctor: one line per check, ok, warn or fail, each with its fix.

import type { LoadedConfig } from '../../config/load.ts';
import type { Finding } from '../../doctor/doctor.ts';
import { inOneLine } from '../../domains/sentences.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { say } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';
import { configurationRead } from './messages.ts';

/** The column of the sentences. */
const COLUMN = 23;

export async function showFindings(
  findings: AsyncIterable<Finding>,
  { warnings, hasDotEnv }: Pick<LoadedConfig, 'warnings' | 'hasDotEnv'>,
  { json }: { json?: boolean | undefined },
  terminal: Terminal,
): Promise<ExitCode> {
  const all: Finding[] = [configuration(warnings, hasDotEnv ?? false)];
  const show = (finding: Finding): void => {
    if (!json) say(terminal, toLines(finding), COLUMN);
  };
  for (const finding of all) show(finding);
  for await (const finding of findings) {
    all.push(finding);
    show(finding);
  }
  if (json) terminal.out(JSON.stringify(all, null, 2));
  return all.some(({ level }) => level === 'fail') ? exitCodes.failed : exitCodes.ok;
}

function configuration(warnings: readonly string[], hasDotEnv: boolean): Finding {
  const subject = 'configuration';
  if (warnings.length > 0) return { level: 'warn', subject, sentence: inOneLine(warnings) };
  return { level: 'ok', subject, sentence: configurationRead(hasDotEnv) };
}

function toLines({ level, subject, sentence, fix }: Finding): string[] {
  const first = `${level.padEnd(4)}  ${subject.padEnd(15)}  ${sentence}`;
  return fix ? [first, `${' '.repeat(COLUMN)}fix: ${fix}`] : [first];
}
