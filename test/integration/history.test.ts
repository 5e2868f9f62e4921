// Random histories (requests, faults, deaths of workers, changes in the panel) all end in the invariants: the last request
// is what RunCloud has. `npm run test:slow` plays a thousand, `npm run histories` as many as you like.
import { expect, test } from '@jest/globals';
import { runHistories } from '../helpers/history-run.ts';
import { testRedis } from '../helpers/redis.ts';

const TOTAL = Number(process.env.HISTORIES ?? 30);
const SEED = Number(process.env.HISTORY_SEED ?? Math.floor(Math.random() * 1e9));
const LANES = Number(process.env.LANES ?? 16);

test(`${TOTAL} histories with seed ${SEED} end as the last request of each domain says`, async () => {
  await using corner = await testRedis();
  const run = { redisUrl: corner.url, prefix: corner.prefix, total: TOTAL, seed: SEED, lanes: LANES };
  const { played, failures } = await runHistories({ ...run, limitMs: 1_500_000 });
  expect(failures.join('\n\n')).toBe('');
  expect(played).toBe(TOTAL);
}, 1_800_000);
