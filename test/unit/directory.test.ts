// The directory of attached domains: one read serves a burst, and doing nothing never rests on a stale one.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createDirectory, type Directory } from '../../src/runcloud/directory.ts';
import type { AttachedDomain, CallOptions, WebApplication } from '../../src/runcloud/runcloud.ts';

const app = { serverId: 1903, appId: 646 };
const other = { serverId: 1903, appId: 647 };

const row = (id: number, name: string): AttachedDomain => ({
  id,
  name,
  type: 'alias',
  www: false,
  redirection: 'none',
});

interface Snapshot {
  readonly app: WebApplication;
  readonly options: CallOptions | undefined;
  answer(rows: readonly AttachedDomain[]): void;
  fail(error: Error): void;
}

let time: number;
let reads: Snapshot[];
let directory: Directory;

beforeEach(() => {
  time = 1000;
  reads = [];
  const listDomains = (of: WebApplication, options?: CallOptions): Promise<AttachedDomain[]> =>
    new Promise((resolve, reject) => {
      reads.push({ app: of, options, answer: (rows) => resolve([...rows]), fail: reject });
    });
  directory = createDirectory({ runcloud: { listDomains }, now: async () => time, maxAgeMs: 10_000 });
});

/** Lets everything run that waits for nothing but microtasks. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function read(...rows: AttachedDomain[]): Promise<void> {
  const found = directory.list(app, 0);
  await settled();
  reads.at(-1)?.answer(rows);
  await found;
}

describe('one read', () => {
  test('tells what is attached, which row is the oldest, and when it began', async () => {
    const found = directory.find(app, 'b.example.org', 0);
    await settled();
    time = 1500;
    reads[0]?.answer([row(9, 'b.example.org'), row(4, 'a.example.org')]);
    expect(await found).toEqual({ attached: row(9, 'b.example.org'), isOldest: false, at: 1000 });
    expect(await directory.find(app, 'a.example.org', 0)).toMatchObject({ isOldest: true });
    expect(await directory.find(app, 'c.example.org', 0)).toEqual({
      attached: undefined,
      isOldest: false,
      at: 1000,
    });
  });

  test('serves a whole burst', async () => {
    await read(row(1, 'a.example.org'));
    for (let i = 0; i < 100; i += 1) await directory.find(app, `x${i}.example.org`, 0);
    expect(reads).toHaveLength(1);
  });

  test('is shared by all who ask while it is under way', async () => {
    const finds = Array.from({ length: 20 }, (_, i) => directory.find(app, `x${i}.example.org`, 0));
    await settled();
    expect(reads).toHaveLength(1);
    reads[0]?.answer([row(1, 'x7.example.org')]);
    const found = await Promise.all(finds);
    expect(found.flatMap(({ attached }) => attached?.name ?? [])).toEqual(['x7.example.org']);
  });

  test('is not shared between web applications', async () => {
    await read(row(1, 'a.example.org'));
    const found = directory.find(other, 'a.example.org', 0);
    await settled();
    expect(reads.map((read) => read.app.appId)).toEqual([646, 647]);
    reads[1]?.answer([]);
    expect((await found).attached).toBeUndefined();
  });

  test('is not stopped by the one job that happened to start it', async () => {
    const abort = new AbortController();
    const found = directory.find(app, 'a.example.org', 0, { signal: abort.signal });
    await settled();
    expect(reads[0]?.options?.signal).toBeUndefined();
    reads[0]?.answer([]);
    await found;
  });
});

describe('a job that is stopped', () => {
  const stopped = new Error('the worker is stopping');

  test('does not wait for a shared read, which continues for the others', async () => {
    const abort = new AbortController();
    const impatient = directory.find(app, 'a.example.org', 0, { signal: abort.signal });
    const patient = directory.find(app, 'a.example.org', 0);
    await settled();
    abort.abort(stopped);
    await expect(impatient).rejects.toBe(stopped);
    reads[0]?.answer([row(1, 'a.example.org')]);
    expect(await patient).toMatchObject({ attached: { id: 1 } });
  });

  test.each([
    ['before its call', 'before'],
    ['while it waited', 'during'],
  ])('%s is not brought down by a read that fails after all', async (_, when) => {
    const abort = new AbortController();
    if (when === 'before') abort.abort(stopped);
    const found = directory.find(app, 'a.example.org', 0, { signal: abort.signal });
    const outcome = found.catch((error: unknown) => error);
    await settled();
    abort.abort(stopped);
    expect(await outcome).toBe(stopped);
    // Nobody listens any more: this must not become an unhandled rejection, which would end the process.
    for (const read of reads) read.fail(new Error('socket hang up'));
    await settled();
  });
});

describe('what was observed at or after a time', () => {
  test('is served by a read that began at that very time', async () => {
    await read();
    await directory.find(app, 'a.example.org', 1000);
    expect(reads).toHaveLength(1);
  });

  test('reads again where the known read began before', async () => {
    await read();
    time = 2000;
    const found = directory.find(app, 'a.example.org', 1001);
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]?.answer([row(1, 'a.example.org')]);
    expect(await found).toMatchObject({ at: 2000, attached: { name: 'a.example.org' } });
  });

  test('costs exactly one more read for all who came too late for the running one', async () => {
    const early = directory.find(app, 'a.example.org', 0);
    await settled();
    time = 2000;
    const late = Array.from({ length: 20 }, () => directory.find(app, 'a.example.org', 1500));
    await settled();
    expect(reads).toHaveLength(1);
    reads[0]?.answer([]);
    await early;
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]?.answer([row(1, 'a.example.org')]);
    expect((await Promise.all(late)).every(({ attached, at }) => attached && at === 2000)).toBe(true);
    expect(reads).toHaveLength(2);
  });
});

describe('a note of what a write has replied', () => {
  test('saves the next read', async () => {
    await read(row(1, 'old.example.org'));
    directory.recordWrite(app, 'new.example.org', row(2, 'new.example.org'), 1800);
    expect(await directory.find(app, 'new.example.org', 1800)).toEqual({
      attached: row(2, 'new.example.org'),
      isOldest: false,
      at: 1800,
    });
    directory.recordWrite(app, 'old.example.org', undefined, 1900);
    expect(await directory.find(app, 'old.example.org', 1900)).toMatchObject({ attached: undefined });
    expect(reads).toHaveLength(1);
  });

  test('keeps the oldest row recognisable', async () => {
    await read(row(1, 'first.example.org'), row(2, 'second.example.org'));
    directory.recordWrite(app, 'first.example.org', row(1, 'first.example.org'), 1800);
    expect(await directory.find(app, 'first.example.org', 1500)).toMatchObject({ isOldest: true });
  });

  test('does not answer who asks for something newer', async () => {
    await read();
    directory.recordWrite(app, 'a.example.org', row(2, 'a.example.org'), 1800);
    time = 3000;
    const found = directory.find(app, 'a.example.org', 1801);
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]?.answer([]);
    expect(await found).toMatchObject({ attached: undefined, at: 3000 });
  });

  test('is forgotten when a later read says otherwise', async () => {
    await read();
    directory.recordWrite(app, 'a.example.org', row(2, 'a.example.org'), 1800);
    time = 2000;
    const list = directory.list(app, 1900);
    await settled();
    reads[1]?.answer([]);
    await list;
    expect(await directory.find(app, 'a.example.org', 0)).toMatchObject({ attached: undefined });
  });

  test('outlives a read that began before it', async () => {
    const list = directory.list(app, 0);
    await settled();
    directory.recordWrite(app, 'a.example.org', row(2, 'a.example.org'), 1200);
    reads[0]?.answer([]);
    await list;
    expect(await directory.find(app, 'a.example.org', 0)).toMatchObject({ attached: { id: 2 } });
  });
});

describe('a read that fails', () => {
  test('fails for all who share it, and the next who asks reads anew', async () => {
    const finds = [1, 2, 3].map(() => directory.find(app, 'a.example.org', 0));
    const results = Promise.allSettled(finds);
    await settled();
    reads[0]?.fail(new Error('503'));
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    const again = directory.find(app, 'a.example.org', 0);
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]?.answer([]);
    await again;
  });

  test('does not fail for those who need a later one', async () => {
    const early = directory.find(app, 'a.example.org', 0);
    await settled();
    time = 2000;
    const late = [1, 2, 3].map(() => directory.find(app, 'a.example.org', 1500));
    await settled();
    reads[0]?.fail(new Error('503'));
    await expect(early).rejects.toThrow('503');
    await settled();
    expect(reads).toHaveLength(2);
    reads[1]?.answer([row(1, 'a.example.org')]);
    expect((await Promise.all(late)).every(({ attached }) => attached)).toBe(true);
  });

  test('leaves what was known before as it was', async () => {
    await read(row(1, 'a.example.org'));
    time = 2000;
    const newer = directory.find(app, 'a.example.org', 1500);
    await settled();
    reads[1]?.fail(new Error('503'));
    await expect(newer).rejects.toThrow('503');
    expect(await directory.find(app, 'a.example.org', 0)).toMatchObject({ at: 1000, attached: { id: 1 } });
  });
});

test('a read that is too old no longer leads to anything: the panel may have changed', async () => {
  await read(row(1, 'a.example.org'));
  time = 11_000;
  await directory.find(app, 'a.example.org', 0);
  expect(reads).toHaveLength(1);
  time = 11_001;
  const found = directory.find(app, 'a.example.org', 0);
  await settled();
  expect(reads).toHaveLength(2);
  reads[1]?.answer([]);
  expect((await found).attached).toBeUndefined();
});
