#!/usr/bin/env node
// The command `runcloud-simulator`. Only this file touches the process.
import { readFileSync } from 'node:fs';
import { runCommandLine } from './command-line.ts';

/** A second signal ends the process at once. */
const stopped = new Promise<void>((resolve) => {
  const onSignal = (signal: NodeJS.Signals): void => {
    resolve();
    process.once(signal, () => process.exit(130));
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  stopped,
  version,
});
