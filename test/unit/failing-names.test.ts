// Which names may have failed an order, and who must act.
import { describe, expect, test } from '@jest/globals';
import {
  actorOf,
  areCleared,
  type FailingName,
  type FailureSign,
  findDoubts,
  findFailingNames,
  UNSTEADY_MS,
} from '../../src/certificates/failing-names.ts';
import type { DnsFinding, DnsVerdict } from '../../src/probes/findings.ts';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const [OLD, SHOP, NEW] = ['old.example.org', 'shop.example.org', 'new.example.org'];

const found = (name: string, verdict: DnsVerdict, doubt?: string): DnsFinding => ({
  name,
  verdict,
  sentence: `${name} is ${verdict}`,
  doubt,
  expected: [],
  observed: { a: [], aaaa: [], cname: [], caa: [] },
});
const failing = (name: string, why: FailureSign): FailingName => ({
  name,
  why,
  sentence: `${name} is ${why}`,
});

const find = (facts: Partial<Parameters<typeof findFailingNames>[0]>) =>
  findFailingNames({
    names: [OLD, SHOP, NEW],
    dns: [OLD, SHOP, NEW].map((name) => found(name, 'here')),
    issued: [OLD, SHOP, NEW],
    unsteady: {},
    logged: [],
    now: NOW,
    ...facts,
  }).map(({ name, why }) => [name, why]);

describe('suspect is', () => {
  test('nobody, where all names are right and had a certificate', () => {
    expect(find({})).toEqual([]);
  });

  test.each(['unknown', 'unchecked'] as const)('a name that could not be judged (%s)', (verdict) => {
    expect(find({ dns: [found(OLD, 'here'), found(SHOP, verdict)] })).toEqual([[SHOP, 'unjudged']]);
  });

  test('a name whose CAA record binds to an account', () => {
    expect(find({ dns: [found(SHOP, 'here', 'it binds to an account')] })).toEqual([[SHOP, 'unjudged']]);
  });

  test.each(['missing', 'elsewhere', 'leftover', 'forbidden', 'cdn'] as const)(
    'a name that is wrong (%s)',
    (verdict) => {
      expect(find({ dns: [found(SHOP, verdict)] })).toEqual([[SHOP, 'wrong']]);
    },
  );

  test('a name that the last certificate did not have', () => {
    expect(find({ issued: [OLD] })).toEqual([
      [SHOP, 'new'],
      [NEW, 'new'],
    ]);
    expect(find({ issued: undefined })).toEqual([]);
  });

  test('a name that is right, and was not within the last hour', () => {
    expect(find({ unsteady: { [SHOP]: NOW - UNSTEADY_MS, [NEW]: NOW - UNSTEADY_MS - 1 } })).toEqual([
      [SHOP, 'flaps'],
    ]);
  });

  test('a name that stands in the log, before all others and whatever else is known of it', () => {
    const facts = { dns: [found(SHOP, 'missing'), found(OLD, 'unknown')], issued: [OLD, SHOP] };
    expect(find({ ...facts, logged: [OLD] })).toEqual([
      [OLD, 'unjudged'],
      [SHOP, 'wrong'],
      [NEW, 'new'],
    ]);
    expect(find({ issued: [OLD], logged: [NEW] })).toEqual([
      [NEW, 'logged'],
      [SHOP, 'new'],
    ]);
  });

  test('each name once, by the strongest suspicion, the strongest first', () => {
    const facts = {
      dns: [found(OLD, 'unknown'), found(NEW, 'missing')],
      issued: [OLD],
      unsteady: { [OLD]: NOW, [NEW]: NOW, [SHOP]: NOW },
    };
    expect(find(facts)).toEqual([
      [NEW, 'wrong'],
      [OLD, 'unjudged'],
      [SHOP, 'flaps'],
    ]);
  });
});

test('before an order only what could not be judged is a doubt', () => {
  const dns = [found(OLD, 'here'), found(SHOP, 'unknown'), found(NEW, 'proxied', 'it binds')];
  expect(findDoubts(dns).map(({ name }) => name)).toEqual([SHOP, NEW]);
});

describe('the reason to wait is over', () => {
  const cases: readonly (readonly [string, boolean, FailingName[], DnsFinding[]])[] = [
    [
      'where the name can be asked again, and is right',
      true,
      [failing(SHOP, 'unjudged')],
      [found(SHOP, 'here')],
    ],
    ['where the name has left', true, [failing(SHOP, 'unjudged')], [found(OLD, 'here')]],
    [
      'also for those that were only new beside it',
      true,
      [failing(SHOP, 'wrong'), failing(NEW, 'new')],
      [found(SHOP, 'proxied')],
    ],
    ['but not while it cannot be asked', false, [failing(SHOP, 'unjudged')], [found(SHOP, 'unknown')]],
    ['nor while nobody can judge it', false, [failing(SHOP, 'unjudged')], [found(SHOP, 'here', 'it binds')]],
    [
      'nor where one of two is wrong still',
      false,
      [failing(SHOP, 'wrong'), failing(OLD, 'wrong')],
      [found(SHOP, 'here'), found(OLD, 'missing')],
    ],
    ['nor for a name that comes and goes', false, [failing(SHOP, 'flaps')], [found(SHOP, 'here')]],
    [
      'nor where all that is known of it is that it is new',
      false,
      [failing(NEW, 'new')],
      [found(NEW, 'here')],
    ],
    ['nor for a name that only the log speaks of', false, [failing(SHOP, 'logged')], [found(SHOP, 'here')]],
    ['nor where no name is failing', false, [], [found(NEW, 'here')]],
  ];
  test.each(cases)('%s', (_, is, failingNames, dns) => {
    expect(areCleared(failingNames, dns)).toBe(is);
  });
});

test('who must act: the customer whose DNS is wrong, else the operator, and RunCloud where no name is failing, or is only new', () => {
  expect(actorOf([failing(SHOP, 'unjudged'), failing(OLD, 'wrong')])).toBe('customer');
  expect(actorOf([failing(SHOP, 'unjudged')])).toBe('operator');
  expect(actorOf([failing(NEW, 'flaps'), failing(SHOP, 'new')])).toBe('operator');
  expect(actorOf([failing(NEW, 'logged')])).toBe('operator');
  expect(actorOf([failing(NEW, 'new')])).toBe('runcloud');
  expect(actorOf([])).toBe('runcloud');
});
