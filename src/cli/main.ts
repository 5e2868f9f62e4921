#!/usr/bin/env node
// The process of the command line. No other file reads argv, the streams and signals, or ends the
// process.
import cluster from 'node:cluster';
import { run } from './program.ts';

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

const exitCode = await run(process.argv.slice(2), {
  env: process.env,
  directory: process.cwd(),
  // Standard input is opened when a command reads it.
  streams: {
    stdout: process.stdout,
    stderr: process.stderr,
    get stdin() {
      return process.stdin;
    },
  },
  clock: Date.now,
  nodeVersion: process.versions.node,
  isClusterWorker: cluster.isWorker,
  untilSignal,
  announceReady: () => void process.send?.('ready'),
});
process.exit(exitCode);
