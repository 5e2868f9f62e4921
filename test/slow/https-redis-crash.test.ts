// Proves that a domain on its way to HTTPS survives a restart of Redis in each state: it ends live, and nothing is ordered twice.
// test/e2e/https-crash.test.ts does the same with its worker.
import { expect, test } from '@jest/globals';
import { atEachMoment, HANG_MS } from '../e2e/https-moments.ts';

test(
  'Redis is killed and restarted in each state of a domain: the same worker brings it live, with one order',
  () =>
    atEachMoment(async ({ before, after }, scene) => {
      const worker = await scene.start();
      await before(scene);
      await scene.world.server.kill();
      await scene.world.server.restart();
      await after?.(scene);
      await scene.stands('live');
      expect(worker.isAlive()).toBe(true);
    }),
  HANG_MS,
);
