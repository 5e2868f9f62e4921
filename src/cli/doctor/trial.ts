// doctor --try-domain: tries one unused name, removes it again, and saves the report. After a
// killed run it removes what that one left.
import { setTimeout as delay } from 'node:timers/promises';
import type { ProducerApp } from '../../app/app.ts';
import { createTrialRecords } from '../../app/investigation.ts';
import { createJournal, type JournalEntry } from '../../doctor/journal.ts';
import { TrialRefusal, type TryPorts, tryDomain } from '../../doctor/try-domain.ts';
import { UndoFailure, undo } from '../../doctor/undo.ts';
import { parseDomainName } from '../../domains/domain-name.ts';
import { requireCertifiable } from '../../domains/public-name.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { operatorName } from '../operator-name.ts';
import type { Terminal } from '../output/terminal.ts';
import { type AccountFlags, type AccountTools, findTarget, save, type Target } from './account.ts';
import { TRIAL_CLEANED, TRIAL_STOPPED, TRIAL_STOPPING, trialLeft, trialWrites } from './messages.ts';

export interface TrialFlags extends AccountFlags {
  readonly withCertificate?: boolean | undefined;
}

export interface TrialTools extends AccountTools {
  readonly producer: ProducerApp;
  /** Resolves on the first signal. */
  readonly stopped: Promise<unknown>;
}

export async function runTrial(given: string, flags: TrialFlags, tools: TrialTools): Promise<ExitCode> {
  const { terminal } = tools;
  const name = parseDomainName(given);
  requireCertifiable(name, false, tools.config.topLevelDomains);
  const out = flags.out ?? 'runcloud-try-domain.json';
  if (!flags.yes) {
    terminal.err(trialWrites(name));
    return exitCodes.usage;
  }
  const target = findTarget(flags, out, tools);
  if (!target) return exitCodes.usage;
  const ports = createPorts(target, out, tools);
  try {
    const left = ports.journal.read();
    return left
      ? await takeBack(left, ports, terminal)
      : await attempt(name, { flags, out, target }, ports, tools);
  } catch (error) {
    if (!(error instanceof TrialRefusal || error instanceof UndoFailure)) throw error;
    terminal.err(error.message);
    return error instanceof TrialRefusal ? exitCodes.usage : exitCodes.failed;
  } finally {
    target.close();
  }
}

function createPorts(target: Target, out: string, { producer, stopped, terminal }: TrialTools): TryPorts {
  let isStopped = false;
  void stopped.then(() => {
    isStopped = true;
    terminal.err(TRIAL_STOPPING);
  });
  return {
    ...target,
    ...createTrialRecords(producer, operatorName()),
    journal: createJournal(out.replace(/(\.json)?$/, '.journal.json')),
    wait: (ms) => delay(ms),
    onStep: terminal.err,
    print: terminal.err,
    isStopped: () => isStopped,
  };
}

async function takeBack(left: JournalEntry, ports: TryPorts, terminal: Terminal): Promise<ExitCode> {
  terminal.err(trialLeft(left.name, ports.journal.file));
  await undo(left, ports);
  terminal.out(TRIAL_CLEANED);
  return exitCodes.ok;
}

async function attempt(
  name: string,
  { flags, out, target }: { flags: TrialFlags; out: string; target: Target },
  ports: TryPorts,
  { terminal, version }: TrialTools,
): Promise<ExitCode> {
  const request = { name, app: target.app, withCertificate: flags.withCertificate ?? false };
  const { observations, switches, isStopped } = await tryDomain(request, ports);
  const stopped = isStopped ? TRIAL_STOPPED : null;
  save(
    { report: 'try-domain', version, api: target.version, stopped, switches, observations },
    out,
    terminal,
  );
  return isStopped ? exitCodes.failed : exitCodes.ok;
}
