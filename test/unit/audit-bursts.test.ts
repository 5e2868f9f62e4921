// Requests that come one by one: the first stands in the audit log at once, a burst in one entry more.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/audit.ts';
import { createAuditBursts } from '../../src/audit/bursts.ts';

let written: AuditRecord[];
const audit = { record: async (entry: AuditRecord) => void written.push(entry) };
const adding = (domain: string): AuditRecord => ({ who: 'producer', what: 'add', domains: [domain] });

beforeEach(() => {
  written = [];
  jest.useFakeTimers();
});
afterEach(() => void jest.useRealTimers());

test('a single request is written at once', () => {
  createAuditBursts(audit).add(adding('a.example'));
  expect(written).toEqual([adding('a.example')]);
});

test('five thousand within a second are two entries, and none is lost', () => {
  const bursts = createAuditBursts(audit);
  const names = Array.from({ length: 5000 }, (_, i) => `d${i}.example`);
  for (const name of names) bursts.add(adding(name));
  jest.advanceTimersByTime(1_000);
  expect(written).toHaveLength(2);
  expect(written.flatMap(({ domains }) => domains)).toEqual(names);
});

test('a burst that goes on is an entry a second, and one that comes later is at once', () => {
  const bursts = createAuditBursts(audit);
  for (const name of ['a.example', 'b.example']) bursts.add(adding(name));
  jest.advanceTimersByTime(1_000);
  bursts.add(adding('c.example'));
  jest.advanceTimersByTime(2_000);
  bursts.add(adding('d.example'));
  expect(written.map(({ domains }) => domains?.join())).toEqual([
    'a.example',
    'b.example',
    'c.example',
    'd.example',
  ]);
});

test('another verb, and another caller, is an entry of its own', () => {
  const bursts = createAuditBursts(audit);
  bursts.add(adding('a.example'));
  bursts.add({ ...adding('a.example'), what: 'remove' });
  bursts.add({ ...adding('a.example'), for: 'ada' });
  expect(written).toHaveLength(3);
});

test('who closes it loses nothing', async () => {
  const bursts = createAuditBursts(audit);
  for (const name of ['a.example', 'b.example', 'c.example']) bursts.add(adding(name));
  await bursts.close();
  expect(written.map(({ domains }) => domains?.join())).toEqual(['a.example', 'b.example,c.example']);
});
