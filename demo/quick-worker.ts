// The worker of `runcloud-domains worker`, with probes every second instead of every minute: no setting changes that. Run by worker.ts in a process of its own.
import { createWorkerApp } from '../src/app/worker.ts';
import { loadConfig } from '../src/config/load.ts';
import { reasonOf } from '../src/errors.ts';
import { backoff, retryPolicy } from './hurry.ts';

const stopped = new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
const { config } = loadConfig();
const app = createWorkerApp(config, () => config, { backoff, retryPolicy });
try {
  await app.start();
  app.logger.info({ event: 'ready' }, 'ready for jobs');
  await stopped;
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exitCode = 1;
} finally {
  await app.close();
}
