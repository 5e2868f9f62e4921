// What to do about a code: one thing while its job goes on by itself, another once it has failed and a person is called.
import { describe, expect, test } from '@jest/globals';
import { toJob, toRecord } from '../../src/api-records/domains.ts';
import { describeDomain } from '../../src/cli/output/status-domain.ts';
import {
  mustActLine,
  NO_RETRY,
  nextCheck,
  nextRetry,
  retryLine,
  whatToDo,
} from '../../src/cli/output/status-messages.ts';
import { type Code, codes, fixOf } from '../../src/errors.ts';
import type { DomainDetails } from '../../src/queue/operator.ts';
import { recordOf, toldOf } from '../helpers/record.ts';

const NOW = Date.parse('2026-11-24T10:20:00Z');
const HOUR = 3_600_000;
const telling = { nowMs: NOW, steps: 5, hasDnsGate: true, monitorIntervalMs: undefined };

const detailsOf = (record: object, job: object): DomainDetails => ({
  record: { ...recordOf(), ...record },
  job: {
    id: 'shop.example.org_1903_646~7',
    state: 'failed',
    attemptsMade: 3,
    failedReason: undefined,
    result: undefined,
    nextRunAt: undefined,
    ...job,
  },
  certificate: toldOf(),
  redeploy: undefined,
  history: [],
  budgets: [],
});

const all = Object.keys(codes) as Code[];

test.each(all)('%s: a person who must act does not read that nothing is to do', (code) => {
  expect(fixOf(code, false)).not.toMatch(/^Nothing|retried|tried again|the worker (waits|looks)/);
});

test('a code that is none has no fix', () => {
  expect(fixOf('toString', false)).toBeUndefined();
  expect(fixOf(undefined, true)).toBeUndefined();
});

describe('a job that has failed', () => {
  const failed = {
    request: 'failed',
    state: 'failed',
    code: 'runcloud-unknown-result',
    outcome: 'no',
    outcomeAt: NOW,
  };

  test('and is retried says what to do, when it is retried, and how to retry now', () => {
    const status = detailsOf({ ...failed, nextRunAt: NOW + HOUR }, {});
    const lines = describeDomain(status, telling);
    expect(lines).toEqual(
      expect.arrayContaining([
        mustActLine('operator', codes['runcloud-unknown-result'].fix, false),
        retryLine('shop.example.org_1903_646~7', true),
        nextRetry('2026-11-24 11:20 UTC (in 60 min)'),
      ]),
    );
    expect(lines.join('\n')).not.toMatch(/Nothing:|the worker looks/);
    expect(toRecord(status)).toMatchObject({
      fix: codes['runcloud-unknown-result'].fix,
      mustAct: 'operator',
      nextCheckAt: '2026-11-24T11:20:00.000Z',
    });
  });

  test('for good says so', () => {
    const lines = describeDomain(detailsOf({ ...failed, code: 'job-quarantined' }, {}), telling);
    expect(lines).toEqual(
      expect.arrayContaining([retryLine('shop.example.org_1903_646~7', false), NO_RETRY]),
    );
  });

  test('says so over the API too', () => {
    const { job } = detailsOf({}, { failedReason: 'runcloud-unreachable: no way' });
    expect(toJob(job)).toMatchObject({
      code: 'runcloud-unreachable',
      fix: codes['runcloud-unreachable'].fix,
    });
  });
});

test('a job that is being retried says so, and nobody must act', () => {
  const retrying = {
    request: 'pending',
    state: 'requested',
    code: 'runcloud-unknown-result',
    outcome: 'no',
    outcomeAt: NOW,
  };
  const status = detailsOf(retrying, {
    state: 'delayed',
    nextRunAt: NOW + HOUR,
    failedReason: 'runcloud-unknown-result: no',
  });
  const text = describeDomain(status, telling).join('\n');
  expect(text).toContain(whatToDo(codes['runcloud-unknown-result'].whileRetried));
  expect(text).not.toMatch(/must act|retry /);
  expect(toRecord(status)).toMatchObject({
    fix: codes['runcloud-unknown-result'].whileRetried,
    mustAct: null,
  });
  expect(toJob(status.job)).toMatchObject({ fix: codes['runcloud-unknown-result'].whileRetried });
});

test('a person who must act while it is retried reads what to do', () => {
  const held = {
    request: 'pending',
    state: 'held',
    mustAct: 'operator',
    code: 'runcloud-forbidden',
    outcome: 'no',
    outcomeAt: NOW,
  };
  const text = describeDomain(detailsOf(held, { state: 'delayed', nextRunAt: NOW + HOUR }), telling).join(
    '\n',
  );
  expect(text).toContain(mustActLine('operator', codes['runcloud-forbidden'].fix, false));
  expect(text).toContain(nextCheck('2026-11-24 11:20 UTC (in 60 min)', 'shop.example.org_1903_646~7'));
});
