// A worker like the command line's in a hurry: a minute between two looks is 60 ms, and a dead worker's job is taken over within
// two seconds.
import { createWorkerApp } from '../../src/app/worker.ts';
import { parseConfig } from '../../src/config/load.ts';
import { FAST } from '../helpers/https-stage.ts';

const { config } = parseConfig(process.env);
const app = createWorkerApp(config, () => config, {
  backoff: FAST,
  recovery: { lockMs: 2000, stalledCheckMs: 500 },
});
await app.start();
app.logger.info({ event: 'ready' }, 'ready for jobs');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
