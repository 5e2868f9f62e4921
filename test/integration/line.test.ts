// Turns between callers and web applications: a queue in Redis with BullMQ's scores, served one job at a time.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keysOf } from '../../src/app/settings.ts';
import { priorities } from '../../src/jobs/catalog.ts';
import { createLine, hasNoTurn, type Line, lanesOf } from '../../src/queue/line.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const app = (appId: number) => ({ serverId: 1903, appId });
const BULKY = lanesOf('api:bulky', app(1));
const SMALL = lanesOf('api:small', app(1));

let stage: Stage;
let line: Line;
let added: number;
beforeEach(async () => {
  stage = await createStage({ workers: 0 });
  line = createLine(stage.redis, keysOf(stage.config));
  added = 0;
});
afterEach(async () => {
  await stage[Symbol.asyncDispose]();
});

const key = (): string => stage.queue.toKey('prioritized');

async function add(name: string, lanes: readonly string[], band: number = priorities['add-domain']) {
  const priority = await line.place(lanes, band);
  expect(priority).toBeLessThanOrEqual(2 ** 21);
  added += 1;
  await stage.redis.zadd(key(), priority * 2 ** 32 + added, `${name}-${added}`);
}

async function addAll(name: string, count: number, lanes: readonly string[], band?: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await add(name, lanes, band);
}

const serve = async (count: number): Promise<string[]> => {
  const found = await stage.redis.zpopmin(key(), count);
  return found.filter((_, i) => i % 2 === 0).map((name) => name.replace(/-\d+$/, ''));
};

test('one request overtakes three hundred of another caller, and of another web application', async () => {
  await addAll('bulky', 300, BULKY);
  await serve(10);
  await add('small', SMALL);
  await add('other-app', lanesOf('api:other', app(2)));
  expect((await serve(4)).toSorted()).toEqual(expect.arrayContaining(['other-app', 'small']));
});

test('programs with one name are told apart by their web applications', async () => {
  await addAll('bulky', 300, lanesOf('producer', app(1)));
  await add('small', lanesOf('producer', app(2)));
  expect(await serve(2)).toContain('small');
});

test('one caller with three hundred web applications is one caller', async () => {
  for (let i = 0; i < 300; i += 1) await add('bulky', lanesOf('api:bulky', app(i)));
  await serve(16);
  await add('small', SMALL);
  expect(await serve(9)).toContain('small');
});

test('whoever asks again at once does not keep the other from his turns', async () => {
  await addAll('bulky', 20, BULKY);
  const served: string[] = [];
  for (let i = 0; i < 41; i += 1) {
    if (i % 2 === 0 || served.at(-1) === 'small') await add('small', SMALL);
    served.push(...(await serve(1)));
  }
  expect(served.filter((name) => name === 'bulky').length).toBeGreaterThan(15);
});

test('three hundred that are tried again stand before no first request of another, nor before his own', async () => {
  for (let i = 0; i < 300; i += 1) await add('bulky', lanesOf('api:bulky', app(i)), priorities.retry);
  await add('small', SMALL);
  await add('removal', SMALL, priorities['remove-domain']);
  await add('tried-again', SMALL, priorities.retry);
  await add('again', SMALL);
  expect(await serve(6)).toEqual(['removal', 'small', 'bulky', 'tried-again', 'again', 'bulky']);
});

test('what has just become due has no turn: who comes newly does not stand behind the turn that it may get', async () => {
  await stage.redis.zadd(key(), priorities.retry * 2 ** 32, 'due');
  expect(hasNoTurn(priorities.retry)).toBe(true);
  await addAll('bulky', 20, BULKY);
  await serve(11);
  expect(hasNoTurn(await line.place(SMALL, priorities.check))).toBe(false);
  await add('small', SMALL);
  expect((await serve(2)).toSorted()).toEqual(['bulky', 'small']);
});

test("a removal does not stand behind the caller's own import, and a single request before its first", async () => {
  await addAll('import', 1_000, BULKY, priorities.bulk);
  await add('removal', BULKY, priorities['remove-domain']);
  await add('single', BULKY);
  expect(await serve(3)).toEqual(['removal', 'single', 'import']);
});

test('in one lane the order stays, and an empty queue begins anew', async () => {
  await addAll('first', 3, BULKY);
  await addAll('second', 2, BULKY);
  expect(await serve(5)).toEqual(['first', 'first', 'first', 'second', 'second']);
  expect(await line.place(BULKY, priorities['add-domain'])).toBe(16 + priorities['add-domain']);
});
