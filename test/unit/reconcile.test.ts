// What the reconcile loop does about one record: each sentence of the table is a way in which things can stand.
import { describe, expect, test } from '@jest/globals';
import type { Desired, DomainRecord } from '../../src/domains/domain.ts';
import { planReconcile, type ReconcileFacts } from '../../src/domains/reconcile.ts';
import { type Code, codes, mayPass } from '../../src/errors.ts';
import { recordOf } from '../helpers/record.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = 100 * DAY;

const present: Desired = { presence: 'present', www: false, redirection: 'none' };
const absent: Desired = { presence: 'absent' };

const askedFor = (more: Partial<DomainRecord>): DomainRecord =>
  recordOf({ requestedAt: NOW - HOUR, ...more });

type Case = readonly [
  sentence: string,
  record: Partial<DomainRecord>,
  standing: Omit<Partial<ReconcileFacts>, 'record'>,
];

const verdictOf = ([, record, standing]: Case) =>
  planReconcile({ record: askedFor(record), job: 'completed', now: NOW, ...standing });

const named = (rows: readonly Case[]) => rows.map((row) => [row[0], row] as const);

describe('a request that is on its way', () => {
  test.each([['waits in the queue, or is at work: it is left alone', {}, { job: 'unfinished' }] as const])(
    '%s',
    (...row) => expect(verdictOf(row)).toEqual({ kind: 'nothing' }),
  );

  test.each(
    named([
      ['has lost its job: it is asked for again', {}, { job: 'gone' }],
      ['has a job that completed without telling: it is asked for again', {}, { job: 'completed' }],
      ['has lost its job long ago: it is asked for again', { requestedAt: 0 }, { job: 'gone' }],
      ['has lost its job between two tries', { code: 'unexpected', outcomeAt: NOW - 1 }, { job: 'gone' }],
    ]),
  )('%s', (_, row) => expect(verdictOf(row)).toEqual({ kind: 'renew', why: 'its job was lost' }));

  test('has a job that BullMQ itself gave up: a person must look', () => {
    expect(verdictOf(['', {}, { job: 'failed' }])).toEqual({ kind: 'quarantine' });
  });

  test('is not judged by what RunCloud has: its job will look', () => {
    const observed = { attached: false, at: NOW };
    expect(verdictOf(['', {}, { job: 'unfinished', observed }])).toEqual({ kind: 'nothing' });
  });
});

describe('a request that failed', () => {
  const failed = { request: 'failed', code: 'runcloud-rejected', nextRunAt: NOW } as const;

  test('is asked for again when its next check is due, not before', () => {
    const why = 'it failed with runcloud-rejected, which may have passed';
    expect(verdictOf(['', failed, { job: 'failed' }])).toEqual({ kind: 'renew', why });
    const young = { ...failed, nextRunAt: NOW + 1 };
    expect(verdictOf(['', young, { job: 'failed' }])).toEqual({ kind: 'nothing' });
  });

  test('and has no next check waits for a person, however long', () => {
    const old = { ...failed, nextRunAt: undefined, outcomeAt: 0 };
    for (const job of ['failed', 'gone', 'completed'] as const)
      expect(verdictOf(['', old, { job }])).toEqual({ kind: 'nothing' });
  });

  test('is final only where the request is wrong, or a crash needs a person', () => {
    const final = (Object.keys(codes) as Code[]).filter((code) => !mayPass(code));
    expect(final.toSorted()).toEqual([
      'host-name-taken',
      'invalid-domain',
      'invalid-payload',
      'job-quarantined',
      'no-web-application',
      'on-another-application',
      'unknown-job',
    ]);
  });
});

describe('a request that was settled', () => {
  const settled = { request: 'settled', outcomeAt: NOW - HOUR, wroteAt: NOW - HOUR } as const;
  const desired = { ...settled, desired: present };
  const unwanted = { ...settled, desired: absent };
  const has = { attached: true, at: NOW };
  const hasNot = { attached: false, at: NOW };

  test.each(
    named([
      ['is as wanted (there)', desired, { observed: has }],
      ['is as wanted (gone)', unwanted, { observed: hasNot }],
      ['was not looked at', desired, {}],
      ['was last seen before it was settled', desired, { observed: { attached: false, at: NOW - HOUR - 1 } }],
      [
        'was last seen before the end of our own write',
        { ...desired, wroteAt: NOW + 1 },
        { observed: { attached: false, at: NOW } },
      ],
      [
        'differs since more than a day: somebody’s own doing',
        { ...desired, outcomeAt: NOW - DAY - 1 },
        { observed: hasNot },
      ],
      [
        'was last seen while the list may lag behind our own attachment',
        { ...desired, shownBy: { attach: NOW + 1, change: 0, detach: 0 } },
        { observed: hasNot },
      ],
      [
        'was last seen while the list may lag behind our own removal',
        { ...unwanted, shownBy: { attach: 0, change: 0, detach: NOW + 1 } },
        { observed: has },
      ],
      ['was settled long ago, and differs', { ...desired, outcomeAt: 0 }, { observed: hasNot }],
      ['has no job any more', desired, { job: 'gone' }],
      [
        'was mended three times already, and undone each time',
        { ...desired, renewals: 3 },
        { observed: hasNot },
      ],
    ]),
  )('and %s: it is left alone', (_, row) => expect(verdictOf(row)).toEqual({ kind: 'nothing' }));

  test.each(
    named([
      ['is missing', desired, { observed: hasNot }],
      ['is missing, a day after', { ...desired, outcomeAt: NOW - DAY }, { observed: hasNot }],
      ['is missing, seen in the very moment', desired, { observed: { attached: false, at: NOW - HOUR } }],
      ['is missing, and was mended twice before', { ...desired, renewals: 2 }, { observed: hasNot }],
      ['is missing, of a record without a time', { ...desired, outcomeAt: undefined }, { observed: hasNot }],
    ]),
  )('and %s: it is asked for again', (_, row) =>
    expect(verdictOf(row)).toEqual({ kind: 'renew', why: 'RunCloud does not have it' }),
  );

  test('and is still there: its removal is asked for again', () => {
    expect(verdictOf(['', unwanted, { observed: has }])).toEqual({
      kind: 'renew',
      why: 'RunCloud still has it',
    });
  });
});

describe('a removal that has ended', () => {
  const over = { desired: absent, request: 'settled' } as const;
  const ours = { ...over, outcomeAt: NOW - 8 * DAY, wroteAt: NOW - 8 * DAY } as const;
  const neverOurs = { ...over, outcomeAt: NOW - HOUR - 1 } as const;
  const gone = { attached: false, at: NOW };
  const later = (at: number) => ({ attach: 0, change: 0, detach: at });

  test.each(
    named([
      ['a week ago', ours, {}],
      ['a week ago, and whose job is gone', ours, { job: 'gone' }],
      ['an hour ago, of what was never ours and is not there', neverOurs, { observed: gone }],
      ['a day ago, of what was never ours', { ...neverOurs, outcomeAt: NOW - DAY - 1 }, {}],
    ]),
  )('%s is forgotten', (_, row) => expect(verdictOf(row)).toEqual({ kind: 'forget' }));

  test.each(
    named([
      ['less than a week ago', { ...ours, outcomeAt: NOW - 7 * DAY }, { observed: gone }],
      ['that wrote less than a week ago', { ...ours, wroteAt: NOW - 7 * DAY }, {}],
      ['whose DELETE may take effect yet', { ...ours, lateUntil: later(NOW + 1) }, {}],
      ['which the list may not show yet', { ...ours, shownBy: later(NOW + 1) }, {}],
      ['that the certificate has to follow', { ...ours, needsRedeployAfter: 'detach' }, {}],
      ['whose job is at work', ours, { job: 'unfinished' }],
      ['an hour ago, of what was never ours, where nobody could look', neverOurs, {}],
      [
        'an hour ago, of what we did not write, but have seen',
        { ...neverOurs, attachedWww: false },
        { observed: gone },
      ],
      [
        'less than an hour ago, of what was never ours',
        { ...neverOurs, outcomeAt: NOW - HOUR },
        { observed: gone },
      ],
      ['and is wanted again', { ...ours, desired: present }, {}],
      ['and failed', { ...ours, request: 'failed' }, {}],
    ]),
  )('%s stays', (_, row) => expect(verdictOf(row)).toEqual({ kind: 'nothing' }));

  test('and whose name is there after all is asked for again, not forgotten', () => {
    const row: Case = ['', neverOurs, { observed: { attached: true, at: NOW } }];
    expect(verdictOf(row)).toEqual({ kind: 'renew', why: 'RunCloud still has it' });
  });
});
