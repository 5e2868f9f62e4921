// What a refused attachment means, by our records of the same names: each sentence of the table is a way in which they can stand.
import { describe, expect, test } from '@jest/globals';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { judgeTaken, namesakesOf, type TakenFacts } from '../../src/domains/taken.ts';
import { recordOf } from '../helpers/record.ts';

const NOW = 10_000_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const REFUSAL = 'RunCloud refused when attaching the domain (HTTP 422): Domain already exists.';
const shop = parseDomainName('shop.example.org');
const www = parseDomainName('www.shop.example.org');

const other = (facts: Partial<DomainRecord>): DomainRecord => recordOf({ appId: 647, ...facts });
const judge = (facts: Partial<TakenFacts> & { readonly own?: Partial<DomainRecord> }) => {
  const { own, ...more } = facts;
  const record = recordOf({ requestedAt: NOW - 1000, ...own });
  return judgeTaken({
    ...{ record, refusal: REFUSAL, others: [], now: NOW, firstMs: 3_000, heldMs: 24 * HOUR },
    ...more,
  });
};
const absent = { presence: 'absent' } as const;
const withWww = { presence: 'present', www: true, redirection: 'none' } as const;

test('the records to look at are those of the name, and of its www twin or the name whose twin it is', () => {
  expect(namesakesOf(shop)).toEqual([shop, www]);
  expect(namesakesOf(www)).toEqual([www, shop]);
});

describe('nobody of ours has it, and we never wrote it:', () => {
  test.each<[string, readonly DomainRecord[], Partial<DomainRecord>]>([
    ['no other record', [], {}],
    ['only its own record', [recordOf()], {}],
    ['a record elsewhere that was removed long ago', [other({ desired: absent, request: 'settled' })], {}],
    ['it was ours long ago, in an earlier request', [], { touchedAt: NOW - HOUR, requestedAt: NOW - 1000 }],
    ['its www twin is another one’s, but this one wants no www', [other({ domain: www })], {}],
  ])('%s -> RunCloud’s last word', (_, others, own) => {
    const taken = judge({ others, own });
    expect(taken.kind).toBe('final');
    expect(taken.sentence).toContain(REFUSAL);
  });
});

describe('a removal on another web application of ours', () => {
  test.each(['pending'] as const)('that is %s is waited for', (state) => {
    const taken = judge({ others: [other({ desired: absent, request: state })] });
    expect(taken).toMatchObject({ kind: 'wait', delayMs: 3_000, report: { state: 'attaching' } });
    expect(taken.sentence).toContain('web application 647');
  });

  test('is waited for a minute at most between two looks', () => {
    const taken = judge({ others: [other({ desired: absent })], own: { requestedAt: NOW - HOUR } });
    expect(taken).toMatchObject({ delayMs: MINUTE });
  });

  test('that failed is the operator’s matter', () => {
    const taken = judge({ others: [other({ desired: absent, request: 'failed' })] });
    expect(taken).toMatchObject({ kind: 'wait', report: { state: 'held', mustAct: 'operator' } });
  });

  test('that is done may not have reached all of RunCloud: looking again', () => {
    const left = other({ desired: absent, request: 'settled', touchedAt: NOW - 10_000 });
    expect(judge({ others: [left] })).toMatchObject({ kind: 'wait', delayMs: 5_000 });
    expect(judge({ others: [{ ...left, touchedAt: NOW - HOUR }] })).toMatchObject({ kind: 'final' });
  });
});

describe('it is wanted on another web application of ours too:', () => {
  test.each<[string, DomainRecord, Partial<DomainRecord>]>([
    ['by itself', other({ request: 'settled' }), {}],
    ['as the www name of its apex', other({ desired: withWww }), { domain: www }],
    ['its www name, by itself', other({ domain: www }), { desired: withWww }],
    ['and has failed there', other({ request: 'failed' }), {}],
  ])('%s -> held for the operator, with the place and the command', (_, owner, own) => {
    const taken = judge({ others: [owner], own });
    expect(taken).toMatchObject({ kind: 'wait', report: { state: 'held', mustAct: 'operator' } });
    expect(taken.sentence).toContain(`\`remove ${owner.domain} --app 647\``);
  });

  test('it is looked at ever more rarely, down to once a day', () => {
    const since = (ms: number) =>
      judge({ others: [other({})], own: { state: 'held', stateAt: NOW - ms } }) as { delayMs: number };
    expect(since(0).delayMs).toBe(MINUTE);
    expect(since(2 * HOUR).delayMs).toBe(HOUR);
    expect(
      judge({ now: NOW + 100 * 24 * HOUR, others: [other({})], own: { state: 'held', stateAt: NOW } }),
    ).toMatchObject({
      delayMs: 24 * HOUR,
    });
  });
});

describe('we wrote it ourselves, and the list does not show it: a contradiction', () => {
  test.each([
    [0, 3_000, undefined],
    [60_000, 30_000, undefined],
    [9 * MINUTE, 4.5 * MINUTE, undefined],
    [10 * MINUTE, 5 * MINUTE, 'operator'],
    [10 * HOUR, 5 * HOUR, 'operator'],
    [300 * HOUR, 24 * HOUR, 'operator'],
  ])('%i ms after our write: looked at again in %i ms, waiting for %s', (waited, delayMs, mustAct) => {
    const taken = judge({ now: NOW + waited, own: { touchedAt: NOW, requestedAt: NOW - 1 } });
    expect(taken).toMatchObject({ kind: 'wait', delayMs });
    if (taken.kind === 'wait') expect(taken.report.mustAct).toBe(mustAct);
  });
});
