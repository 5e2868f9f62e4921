// A thousand random histories with a new seed: `npm test` plays thirty.
import { expect, test } from '@jest/globals';
import { runHistories } from '../helpers/history-run.ts';
import { testRedis } from '../helpers/redis.ts';

const TOTAL = 1000;
const SEED = Number(process.env.HISTORY_SEED ?? Math.floor(Math.random() * 1e9));

test(`${TOTAL} histories with seed ${SEED} end as the last request of each domain says`, async () => {
  await using corner = await testRedis();
  const run = { redisUrl: corner.url, prefix: corner.prefix, total: TOTAL, seed: SEED, lanes: 24 };
  const { played, failures } = await runHistories({ ...run, limitMs: 1_500_000 });
  expect(failures.join('\n\n')).toBe('');
  expect(played).toBe(TOTAL);
});
