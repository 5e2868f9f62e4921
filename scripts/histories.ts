// `npm run histories`: plays random histories (test/helpers/history.ts) by the thousand and prints the figures. By default
// 1000 with a new seed; HISTORIES, HISTORY_SEED and LANES (how many side by side) say otherwise. Exit code 1 where one fails.
import { runHistories } from '../test/helpers/history-run.ts';
import { startRedisServer } from './redis-server.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  const total = Number(process.env.HISTORIES ?? 1000);
  const seed = Number(process.env.HISTORY_SEED ?? Math.floor(Math.random() * 1e9));
  const lanes = Number(process.env.LANES ?? 24);
  await using redis = await startRedisServer({ say });
  say(`${total} histories, seed ${seed}, ${lanes} side by side, on ${redis.description}`);
  const startedAt = performance.now();
  let done = 0;
  const onPlayed = (): void => {
    done += 1;
    if (done % 100 === 0) say(`${done} played, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  };
  const { played, failures } = await runHistories({
    redisUrl: redis.url,
    prefix: 'histories',
    ...{ total, seed, lanes, onPlayed },
    limitMs: 3_600_000,
  });
  for (const failure of failures) say(`\n${failure}`);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  say(`${played} histories played in ${seconds} s, ${failures.length} lane(s) failed, seed ${seed}`);
  return failures.length === 0 && played >= total ? 0 : 1;
}

process.exitCode = await main();
