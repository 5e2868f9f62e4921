// `runcloud-domains worker` with a Tuning, the JSON of its first argument, in place of production's constants.
import { runWorker } from '../../src/cli/commands/worker.ts';
import { parseConfig } from '../../src/config/load.ts';
import { reasonOf } from '../../src/errors.ts';

const stopped = new Promise<string>((resolve) => process.once('SIGTERM', () => resolve('SIGTERM')));
const { config, warnings } = parseConfig(process.env);
const tuning = JSON.parse(process.argv[2] ?? '{}');
try {
  const reload = () => config;
  process.exitCode = await runWorker({
    config,
    warnings,
    stopped,
    announceReady: () => undefined,
    reload,
    tuning,
  });
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
}
