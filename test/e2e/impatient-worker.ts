// A worker like the command line's, but one that takes a dead worker's job over within two seconds: for tests that kill many.
import { createWorkerApp } from '../../src/app/worker.ts';
import { parseConfig } from '../../src/config/load.ts';

const { config } = parseConfig(process.env);
const app = createWorkerApp(config, () => config, { recovery: { lockMs: 1000, stalledCheckMs: 300 } });
await app.start();
app.logger.info({ event: 'ready' }, 'ready for jobs');
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
