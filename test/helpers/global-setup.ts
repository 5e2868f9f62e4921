// Before the first test file: one Redis for the whole suite. Which one it is, is the first line printed.
import { fileURLToPath } from 'node:url';
import { type RunningRedis, startRedis } from '../../scripts/redis.ts';
import { provideTestTools } from './test-tools.ts';

declare global {
  /** Set-up and teardown share nothing else; test files run in processes of their own. */
  var redisOfTheSuite: RunningRedis | undefined;
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

export default async function (): Promise<void> {
  // The programs that tests start by the hundred: compiled once.
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
    new URL('../../node_modules/.cache/node-compile', import.meta.url),
  );
  await provideTestTools(say);
  const redis = await startRedis({ use: 'test', say });
  globalThis.redisOfTheSuite = redis;
  process.env.TEST_REDIS_URL_IN_USE = redis.url;
  say(`Redis for the tests: ${redis.description}`);
}
