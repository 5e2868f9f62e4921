// After the last test file: ends the suite's Redis, if we have started it.
import './global-setup.ts';

export default async function (): Promise<void> {
  await globalThis.redisOfTheSuite?.stop();
}
