// The pure middle: for every pair of what is wanted and what is there, one next step.
import { describe, expect, test } from '@jest/globals';
import type { Desired, DomainRecord, Www } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import {
  attachNotListed,
  attachUnanswered,
  changeNotListed,
  changeUnanswered,
  isAttached,
  isPrimary,
  isRemoved,
  mayBePrimary,
  notAttached,
  redirectionIs,
  removalNotListed,
  removalUnanswered,
  wwwIs,
} from '../../src/domains/messages.ts';
import { type Observed, plan } from '../../src/domains/plan.ts';
import type { AttachedDomain } from '../../src/runcloud/runcloud.ts';
import { recordOf } from '../helpers/record.ts';

const domain = parseDomainName('shop.example.org');

const present: Desired = { presence: 'present', www: false, redirection: 'none' };
const absent: Desired = { presence: 'absent' };

const recordFor = (desired: Desired, facts: Partial<DomainRecord> = {}): DomainRecord =>
  recordOf({ desired, ...facts });

const row = (facts: Partial<AttachedDomain> = {}): AttachedDomain => ({
  id: 4712,
  name: domain,
  type: 'alias',
  www: false,
  redirection: 'none',
  ...facts,
});

const seen = (attached: AttachedDomain | undefined, isOldest = false): Observed => ({
  attached,
  isOldest,
  at: 5000,
});
const attachedByUs = { needsRedeployAfter: 'attach', wroteAt: 900 } as const;
const detachedByUs = { needsRedeployAfter: 'detach', wroteAt: 900 } as const;

type Row = readonly [sentence: string, record: DomainRecord, observed: Observed, step: object];

const rows: readonly Row[] = [
  [
    'not wanted, not there, and an attachment of ours may still take effect -> wait for its end',
    recordFor(absent, { lateUntil: { attach: 5001, change: 0, detach: 0 } }),
    seen(undefined),
    {
      kind: 'await',
      until: 5001,
      sentence: attachUnanswered(domain),
      reasonCode: 'write-unanswered',
    },
  ],
  [
    'not wanted, not there, seen after the end of such an attachment -> nothing to remove',
    recordFor(absent, { lateUntil: { attach: 5000, change: 0, detach: 0 } }),
    seen(undefined),
    { kind: 'nothing', sentence: notAttached(domain), reasonCode: 'not-attached' },
  ],
  [
    'not wanted, taken by RunCloud a moment ago, and its list does not show it yet -> look again',
    recordFor(absent, { shownBy: { attach: 5001, change: 0, detach: 0 } }),
    seen(undefined),
    { kind: 'await', until: 5001, sentence: attachNotListed(domain), reasonCode: 'list-lags' },
  ],
  [
    'wanted, removed by RunCloud a moment ago, and its list shows it still -> look again',
    recordFor(present, { shownBy: { attach: 0, change: 0, detach: 5001 } }),
    seen(row()),
    { kind: 'await', until: 5001, sentence: removalNotListed(domain), reasonCode: 'list-lags' },
  ],
  [
    'not wanted, there, whatever may still take effect -> remove it',
    recordFor(absent, { lateUntil: { attach: 9000, change: 0, detach: 9000 } }),
    seen(row({ id: 9 })),
    { kind: 'detach', domain: row({ id: 9 }) },
  ],
  [
    'wanted, there, and a removal of ours may still take effect -> wait for its end',
    recordFor(present, { lateUntil: { attach: 0, change: 0, detach: 5001 } }),
    seen(row()),
    {
      kind: 'await',
      until: 5001,
      sentence: removalUnanswered(domain),
      reasonCode: 'write-unanswered',
    },
  ],
  [
    'wanted, not there, whatever may still take effect -> attach it',
    recordFor(present, { lateUntil: { attach: 9000, change: 0, detach: 9000 } }),
    seen(undefined),
    { kind: 'attach', domain: { name: domain, www: false, redirection: 'none' } },
  ],
  [
    'not wanted, attached by us in a write that never showed -> nothing to remove, and no certificate order',
    recordFor(absent, attachedByUs),
    seen(undefined),
    { kind: 'nothing', sentence: notAttached(domain), reasonCode: 'not-attached' },
  ],
  [
    'wanted and not there -> attach it, with the settings that were asked for',
    recordFor({ presence: 'present', www: true, redirection: 'non-www' }),
    seen(undefined),
    { kind: 'attach', domain: { name: domain, www: true, redirection: 'non-www' } },
  ],
  [
    'wanted and there already -> nothing to do',
    recordFor(present),
    seen(row()),
    { kind: 'nothing', sentence: isAttached(domain, []), reasonCode: 'attached' },
  ],
  [
    'wanted and there because we wrote it -> the certificate has to follow',
    recordFor(present, attachedByUs),
    seen(row()),
    { kind: 'cover', sentence: isAttached(domain, []), reasonCode: 'attached' },
  ],
  [
    'wanted and there because an earlier request wrote it -> nothing to do',
    recordFor(present, { needsRedeployAfter: undefined, wroteAt: 900 }),
    seen(row()),
    { kind: 'nothing', sentence: isAttached(domain, []), reasonCode: 'attached' },
  ],
  [
    'wanted, written, and gone again -> attach it again',
    recordFor(present, attachedByUs),
    seen(undefined),
    { kind: 'attach', domain: { name: domain, www: false, redirection: 'none' } },
  ],
  [
    'there with another www and redirection -> left alone, and said',
    recordFor(present),
    seen(row({ www: true, redirection: 'www' })),
    {
      kind: 'nothing',
      sentence: isAttached(domain, [wwwIs(true), redirectionIs('www')]),
      reasonCode: 'attached',
    },
  ],
  [
    'there with www off where on is wanted -> left alone, and said',
    recordFor({ presence: 'present', www: true, redirection: 'none' }),
    seen(row()),
    { kind: 'nothing', sentence: isAttached(domain, [wwwIs(false)]), reasonCode: 'attached' },
  ],
  [
    'there with settings that the API does not tell -> no difference is claimed',
    recordFor({ presence: 'present', www: true, redirection: 'www' }),
    seen(row({ www: undefined, redirection: undefined })),
    { kind: 'nothing', sentence: isAttached(domain, []), reasonCode: 'attached' },
  ],
  [
    'the primary domain is wanted and there -> nothing to do',
    recordFor(present),
    seen(row({ type: 'primary' }), true),
    { kind: 'nothing', sentence: isAttached(domain, []), reasonCode: 'attached' },
  ],
  [
    'not wanted and not there -> nothing to do',
    recordFor(absent),
    seen(undefined),
    { kind: 'nothing', sentence: notAttached(domain), reasonCode: 'not-attached' },
  ],
  [
    'not wanted and gone because we removed it -> the certificate has to follow',
    recordFor(absent, detachedByUs),
    seen(undefined),
    { kind: 'cover', sentence: isRemoved(domain), reasonCode: 'removed' },
  ],
  [
    'not wanted and there -> detach that very row',
    recordFor(absent),
    seen(row({ id: 99 })),
    { kind: 'detach', domain: row({ id: 99 }) },
  ],
  [
    'not wanted, written, and still there -> detach it again',
    recordFor(absent, detachedByUs),
    seen(row()),
    { kind: 'detach', domain: row() },
  ],
  [
    'not wanted, the oldest row, but RunCloud calls it an alias -> detach it',
    recordFor(absent),
    seen(row({ type: 'alias' }), true),
    { kind: 'detach', domain: row({ type: 'alias' }) },
  ],
  [
    'not wanted, without a type, not the oldest row -> detach it',
    recordFor(absent),
    seen(row({ type: undefined })),
    { kind: 'detach', domain: row({ type: undefined }) },
  ],
  [
    'not wanted, without a type, the oldest row, but we attached it ourselves -> detach it',
    recordFor(absent, { attachedId: 4712 }),
    seen(row({ type: undefined }), true),
    { kind: 'detach', domain: row({ type: undefined }) },
  ],
];

const withheld = { attachedId: 4712, setWww: false } as const;
const wwwOf = (www: Www): Desired => ({ presence: 'present', www, redirection: 'non-www' });
const wwwRows: readonly Row[] = [
  [
    'we left www out and it is wanted -> it may join, and no difference is claimed',
    recordFor(wwwOf('auto'), withheld),
    seen(row()),
    {
      kind: 'change',
      www: true,
      otherwise: {
        kind: 'nothing',
        sentence: isAttached(domain, []),
        reasonCode: 'attached',
        attached: row(),
      },
    },
  ],
  [
    'we attached it with www, and www is wanted no more -> it is taken off',
    recordFor(present, { attachedId: 4712, setWww: true }),
    seen(row({ www: true, redirection: 'non-www' })),
    { kind: 'change', www: false },
  ],
  [
    'the same where the certificate has not been asked for -> that follows in any case',
    recordFor(present, { attachedId: 4712, setWww: true, ...attachedByUs }),
    seen(row({ www: true })),
    { kind: 'change', www: false, otherwise: { kind: 'cover' } },
  ],
  [
    'RunCloud does not tell www: what we left counts',
    recordFor(wwwOf(true), withheld),
    seen(row({ www: undefined, redirection: undefined })),
    { kind: 'change', www: true },
  ],
  [
    'somebody has switched www off since -> it stays off, and that is said',
    recordFor(wwwOf(true), { attachedId: 4712, setWww: true }),
    seen(row({ redirection: 'none' })),
    { kind: 'nothing', sentence: expect.stringContaining(wwwIs(false)) },
  ],
  [
    'somebody has switched www on since -> it stays on',
    recordFor(present, withheld),
    seen(row({ www: true })),
    { kind: 'nothing', sentence: isAttached(domain, [wwwIs(true)]) },
  ],
  [
    'www differs, but the row is not ours -> it stays',
    recordFor(wwwOf(true), { ...withheld, attachedId: 5000 }),
    seen(row()),
    { kind: 'nothing' },
  ],
  [
    'www differs, but it has become the primary -> it stays',
    recordFor(wwwOf(true), withheld),
    seen(row({ type: 'primary' })),
    { kind: 'nothing' },
  ],
  [
    'a change to the opposite may still take effect -> its end is awaited',
    recordFor(present, { ...withheld, changesTo: true, lateUntil: { attach: 0, change: 5001, detach: 0 } }),
    seen(row()),
    { kind: 'await', until: 5001, sentence: changeUnanswered(domain, true), reasonCode: 'write-unanswered' },
  ],
  [
    'a look that began after it -> as it is seen',
    recordFor(present, { ...withheld, changesTo: true, lateUntil: { attach: 0, change: 5000, detach: 0 } }),
    seen(row()),
    { kind: 'nothing' },
  ],
  [
    'a change to the opposite has taken effect late -> it is undone',
    recordFor(present, { ...withheld, changesTo: true, lateUntil: { attach: 0, change: 5000, detach: 0 } }),
    seen(row({ www: true })),
    { kind: 'change', www: false },
  ],
  [
    'a change to what is wanted may still take effect -> no matter',
    recordFor(present, { ...withheld, changesTo: false, lateUntil: { attach: 0, change: 9000, detach: 0 } }),
    seen(row()),
    { kind: 'nothing' },
  ],
  [
    'the list may lag behind a change that RunCloud took -> it is awaited, and not taken for somebody else’s doing',
    recordFor(wwwOf(true), {
      attachedId: 4712,
      setWww: true,
      shownBy: { attach: 0, change: 5001, detach: 0 },
    }),
    seen(row()),
    { kind: 'await', until: 5001, sentence: changeNotListed(domain, true), reasonCode: 'list-lags' },
  ],
  [
    'www is as wanted -> nothing to do',
    recordFor(wwwOf('auto'), { attachedId: 4712, setWww: true }),
    seen(row({ www: true, redirection: 'non-www' })),
    { kind: 'nothing', sentence: isAttached(domain, []), reasonCode: 'attached' },
  ],
];

const refusals: readonly Row[] = [
  [
    'not wanted, but the primary by its type -> refused',
    recordFor(absent),
    seen(row({ type: 'primary' })),
    { sentence: isPrimary(domain, 646) },
  ],
  [
    'not wanted, the primary by its type, even where we attached it -> refused',
    recordFor(absent, { attachedId: 4712 }),
    seen(row({ type: 'primary' })),
    { sentence: isPrimary(domain, 646) },
  ],
  [
    'not wanted, without a type, the oldest row -> refused, since it may be the primary',
    recordFor(absent),
    seen(row({ type: undefined }), true),
    { sentence: mayBePrimary(domain, 646) },
  ],
  [
    'not wanted, without a type, the oldest row, and another id is ours -> refused',
    recordFor(absent, { attachedId: 5000 }),
    seen(row({ type: undefined }), true),
    { sentence: mayBePrimary(domain, 646) },
  ],
];

describe('plan', () => {
  test.each(rows)('%s', (_, record, observed, step) => {
    const { attached } = observed;
    const isThere = record.desired.presence === 'present' && attached && !('until' in step);
    expect(plan(record, observed)).toEqual(isThere ? { ...step, attached } : step);
  });

  test.each(wwwRows)('%s', (_, record, observed, step) => {
    expect(plan(record, observed)).toMatchObject(step);
  });

  test.each(refusals)('%s', (_, record, observed, step) => {
    expect(plan(record, observed)).toEqual({ kind: 'refuse', code: 'primary-domain', ...step });
  });

  test('planning twice with the same facts gives the same step', () => {
    const [record, observed] = [recordFor(absent), seen(row())];
    expect(plan(record, observed)).toEqual(plan(record, observed));
  });
});
