// What a program that asks may write into BullMQ's own keys by hand: a job that BullMQ cannot read is ended, and no job has a worker touch
// keys other than the queue's.
import { describe, expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { APP, createStage, type Stage } from '../helpers/worker.ts';

type Fields = Readonly<Record<string, string>>;

const keysOf = ({ config }: Stage) => createKeys(config.queuePrefix, QUEUE_NAME);

/** As no client would: by commands of Redis. */
async function plant(stage: Stage, id: string, fields: Fields): Promise<void> {
  const { queue } = keysOf(stage);
  await stage.redis.hset(`${queue}${id}`, {
    name: 'add-domain',
    data: '{"domain":"a.example.org"}',
    opts: '{}',
    timestamp: '1',
    ...fields,
  });
  await stage.redis.lpush(`${queue}wait`, id);
  await stage.redis.zadd(`${queue}marker`, 0, '0');
}

describe('a job that was written by hand is carried out, though', () => {
  test.each<[field: string, value: string]>([
    ['opts', 'no JSON'],
    ['opts', '['],
    ['opts', 'null'],
    ['opts', '{"a":NaN}'],
    ['opts', '{"repeatJobKey":"every"}'],
    ['opts', '{"tm":"no JSON"}'],
    ['parent', '{'],
    ['parent', 'null'],
    ['parentKey', 'no:such:key'],
    ['rjk', 'every'],
    ['rjk', 'a:b:c:d:e'],
    ['stacktrace', '{'],
    ['stacktrace', 'null'],
    ['returnvalue', '{'],
    ['progress', '{'],
    ['id', 'another'],
    ['ats', 'many'],
    ['atm', 'many'],
    ['stc', 'many'],
    ['priority', 'nan'],
    ['deid', 'x'],
  ])('its %s is %s', async (field, value) => {
    await using stage = await createStage();
    await plant(stage, 'planted', { [field]: value });
    expect((await stage.ended('planted')).returnvalue).toMatch(/attached/);
  });
});

test('what is left of it says nothing of other jobs', async () => {
  await using stage = await createStage();
  await plant(stage, 'planted', {
    parent: '{"id":"1","queueKey":"x"}',
    parentKey: 'x:1',
    rjk: 'every',
    id: '7',
  });
  await stage.ended('planted');
  const { queue } = keysOf(stage);
  const left = await stage.redis.hmget(`${queue}planted`, 'parent', 'parentKey', 'rjk', 'id');
  expect(left).toEqual([null, null, null, null]);
});

describe('no key of ours is written or dropped', () => {
  test.each(['pdk', 'pk'])('by what waits for a deduplicated job to end: %s', async (field) => {
    await using stage = await createStage();
    const { queue, own } = keysOf(stage);
    const next = { name: 'add-domain', data: '{"domain":"b.example.org"}', opts: '{}', jid: 'next' };
    await stage.redis.hset(`${queue}dn:x`, { ...next, pd: '{"id":"1"}', [field]: own('planted') });
    await plant(stage, 'planted', { deid: 'x' });
    await stage.ended('planted');
    expect((await stage.ended('next')).returnvalue).toMatch(/attached/);
    expect(await stage.redis.exists(own('planted'))).toBe(0);
  });

  test('by what a retried job lists as its children', async () => {
    await using stage = await createStage();
    const { queue, own } = keysOf(stage);
    await stage.redis.set(own('ours'), '1');
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: 'a.example.org' });
    await stage.ended(jobId);
    await stage.redis.sadd(`${queue}${jobId}:dependencies`, own('ours'));
    const record = await stage.producer.requests.store.get({
      ...APP,
      domain: parseDomainName('a.example.org'),
    });
    if (!record) throw new Error('there is no record');
    expect(await stage.producer.requests.reenqueue(record, 'cli:ada')).toMatchObject({ fate: 'new' });
    expect(await stage.redis.exists(own('ours'), `${queue}${jobId}`)).toBe(1);
  });
});
