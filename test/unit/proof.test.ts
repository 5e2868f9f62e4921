// When a domain counts as live, what it waits for, when its certificate is requested, and when an order has failed.
import { describe, expect, test } from '@jest/globals';
import type { DomainRedeploy } from '../../src/certificates/domain-redeploys.ts';
import type { LastOrder } from '../../src/certificates/ledger.ts';
import type { Backoff } from '../../src/domains/backoff.ts';
import { judgeProof, type ProofFacts } from '../../src/https/proof.ts';
import type { DnsFinding, DnsVerdict, TlsFinding, TlsVerdict } from '../../src/probes/findings.ts';
import { toldOf } from '../helpers/record.ts';

const NOW = Date.parse('2026-11-24T10:00:00Z');
const SHOP = 'shop.example.org';
const WWW_SHOP = `www.${SHOP}`;
const backoff: Backoff = {
  dnsFirstMs: 6,
  dnsLongestMs: 60,
  tlsFirstMs: 80,
  tlsLongestMs: 800,
  issuanceMs: 100,
  heldMs: 5_000,
  checkMs: 100,
  lateTimeouts: 0,
  lateMs: 100,
  lagMs: 0,
  missingMs: 50,
};

const shown = (verdict: TlsVerdict, name = SHOP): TlsFinding => ({
  name,
  verdict,
  sentence: `the certificate of ${name} is ${verdict}`,
  address: '203.0.113.7:443',
  ...(verdict === 'covers' && {
    certificate: {
      subject: name,
      issuer: 'R11',
      names: [name],
      notBefore: NOW - 1,
      notAfter: Date.parse('2027-02-20T00:00:00Z'),
    },
  }),
});

const found = (verdict: DnsVerdict, name = SHOP): DnsFinding => ({
  name,
  verdict,
  sentence: `${name} is ${verdict}`,
  expected: ['203.0.113.7'],
  observed: { a: [], aaaa: [], cname: [], caa: [] },
});

const ordered = (facts: Partial<LastOrder> = {}): LastOrder => ({
  names: ['network.example.org', SHOP],
  orderedAt: NOW - 1_000,
  failures: 0,
  hasFailed: false,
  failingNames: [],
  issued: undefined,
  isLost: false,
  replaces: undefined,
  ...facts,
});

/** It is requested. */
const redeploy = (facts: Partial<DomainRedeploy> = {}): DomainRedeploy =>
  toldOf({ isPending: true, ...facts });

const judge = (facts: Partial<ProofFacts> = {}) =>
  judgeProof({
    listedNames: [SHOP],
    isObserved: false,
    tls: [shown('wrong-name')],
    dns: [found('here')],
    order: undefined,
    redeploy: redeploy({ isPending: false }),
    attachedAt: NOW - 5_000,
    advanced: false,
    now: NOW,
    deadlineMs: 10_000,
    backoff,
    ...facts,
  });

const NOT_COVERED = ['wrong-name', 'expired', 'not-yet-valid', 'untrusted'] as const;

describe('a domain is live', () => {
  test('when a handshake showed a certificate that covers it, and says until when', () => {
    const step = judge({ tls: [shown('covers')] });
    expect(step).toMatchObject({
      kind: 'live',
      sentence: expect.stringMatching(/shop\.example\.org.*2027-02-20$/),
    });
  });

  test('whatever else is on its way or has failed', () => {
    const facts = { redeploy: redeploy({ state: 'failed' }), order: ordered({ failures: 3 }) };
    expect(judge({ tls: [shown('covers')], ...facts }).kind).toBe('live');
  });

  test('with a warning where its DNS is wrong: visitors do not come here', () => {
    const step = judge({ tls: [shown('covers')], dns: [found('elsewhere')] });
    expect(step).toMatchObject({ sentence: expect.stringContaining('shop.example.org is elsewhere') });
  });

  test('only when its www name is covered too', () => {
    expect(judge({ tls: [shown('covers'), shown('wrong-name', WWW_SHOP)] }).kind).not.toBe('live');
    expect(judge({ tls: [shown('covers'), shown('covers', WWW_SHOP)] })).toMatchObject({
      kind: 'live',
      sentence: expect.stringContaining(`${SHOP} and ${WWW_SHOP}`),
    });
  });
});

describe('its certificate is requested', () => {
  test.each([...NOT_COVERED, 'unknown'] as const)(
    'where none was ordered and the handshake says %s',
    (verdict) => {
      expect(judge({ tls: [shown(verdict)] })).toEqual({ kind: 'redeploy' });
    },
  );

  test('where the last order is older than its attachment', () => {
    const attachedAt = NOW - 500;
    expect(judge({ attachedAt, order: ordered({ orderedAt: attachedAt - 1 }) }).kind).toBe('redeploy');
    expect(judge({ attachedAt, order: ordered({ orderedAt: attachedAt }) }).kind).toBe('wait');
  });

  test('where the last order does not hold its name, though RunCloud has it', () => {
    expect(judge({ isObserved: true, order: ordered({ names: ['network.example.org'] }) }).kind).toBe(
      'redeploy',
    );
  });

  test('after a check only, where an order that came after its attachment left it out', () => {
    const order = ordered({ names: ['network.example.org'] });
    expect(judge({ order })).toMatchObject({
      kind: 'observe',
      sentence: expect.stringContaining(SHOP),
    });
    expect(judge({ order, attachedAt: NOW - 500 }).kind).toBe('redeploy');
  });

  test('not again for a www name that the list of names does not tell of', () => {
    const order = ordered({ names: ['network.example.org', SHOP] });
    expect(judge({ order, tls: [shown('covers'), shown('wrong-name', WWW_SHOP)] }).kind).toBe('wait');
  });

  test('where the last order holds its name, but not its www name', () => {
    const facts = {
      tls: [shown('covers'), shown('wrong-name', WWW_SHOP)],
      listedNames: [SHOP, WWW_SHOP],
      isObserved: true,
    };
    expect(judge({ ...facts, order: ordered() }).kind).toBe('redeploy');
    expect(judge({ ...facts, order: ordered({ names: [SHOP, WWW_SHOP] }) }).kind).toBe('wait');
  });

  test('even long after the deadline of an order that was not its own', () => {
    const order = ordered({ names: ['other.example.org'], orderedAt: NOW - 4_000 });
    expect(judge({ order, isObserved: true, deadlineMs: 1 }).kind).toBe('redeploy');
  });
});

describe('it waits for a redeploy that is requested', () => {
  test('as long as nothing is wrong', () => {
    const step = judge({ redeploy: redeploy() });
    expect(step).toMatchObject({
      kind: 'wait',
      delayMs: backoff.tlsFirstMs,
      report: { state: 'waiting-for-certificate', reasonCode: 'redeploy-pending' },
    });
  });

  test('with what the redeploy says of it, where it has said something since it was asked', () => {
    const outcome = 'The answer was lost (SSL_COOLDOWN)';
    const said = { state: 'pending', outcome, reasonCode: 'order-answer-lost' } as const;
    expect(judge({ redeploy: redeploy(said) })).toMatchObject({
      sentence: expect.stringContaining(outcome),
      report: { state: 'waiting-for-certificate', reasonCode: 'order-answer-lost' },
    });
  });

  test('and looks after the redeploy is due, not before', () => {
    const step = judge({ redeploy: redeploy({ nextRunAt: NOW + 300 }) });
    expect(step).toMatchObject({ delayMs: 300 + backoff.tlsFirstMs });
  });

  test('but not longer than the longest interval, and not less than the first', () => {
    const delays = [NOW + 86_400_000, NOW - 86_400_000].map((nextRunAt) =>
      judge({ redeploy: redeploy({ nextRunAt }) }),
    );
    expect(delays).toMatchObject([{ delayMs: backoff.tlsLongestMs }, { delayMs: backoff.tlsFirstMs }]);
  });

  test('also where it was told nothing yet', () => {
    expect(judge({ redeploy: redeploy() })).toMatchObject({
      kind: 'wait',
      report: { state: 'waiting-for-certificate' },
    });
  });

  test('and an older order does not count meanwhile, however long ago it was', () => {
    const step = judge({ redeploy: redeploy(), order: ordered(), deadlineMs: 1 });
    expect(step.kind).toBe('wait');
  });

  test.each(['operator', 'runcloud', 'letsencrypt'] as const)(
    'held with its reason where the redeploy itself waits for %s',
    (mustAct) => {
      const outcome = 'the limit is spent; next attempt allowed at noon';
      const reasonCode = 'letsencrypt-limit';
      expect(judge({ redeploy: redeploy({ mustAct, outcome, reasonCode }) })).toMatchObject({
        kind: 'wait',
        sentence: outcome,
        report: { state: 'held', reasonCode, mustAct },
      });
    },
  );

  test.each([
    ['a shared certificate: the operator knows which', false, 'operator'],
    ['a certificate of its own', true, 'customer'],
  ] as const)(
    'held where a customer must act whose DNS is not seen to be its own, on %s',
    (_, advanced, mustAct) => {
      const held = redeploy({ mustAct: 'customer', outcome: 'the DNS of 1 name on it is not right' });
      expect(judge({ redeploy: held, advanced })).toMatchObject({ report: { state: 'held', mustAct } });
    },
  );

  test('held for its own customer first, where its own DNS is what is wrong', () => {
    const held = redeploy({ mustAct: 'runcloud', outcome: 'RunCloud refused it' });
    expect(judge({ redeploy: held, dns: [found('elsewhere')] })).toMatchObject({
      sentence: expect.stringContaining(`${SHOP} is elsewhere`),
      report: { state: 'held', reasonCode: 'dns-wrong', mustAct: 'customer' },
    });
  });

  test('and a name that could not be queried is nobody’s fault', () => {
    const held = redeploy({ mustAct: 'letsencrypt', outcome: 'spent' });
    expect(judge({ redeploy: held, dns: [found('unknown')] })).toMatchObject({
      sentence: 'spent',
      report: { mustAct: 'letsencrypt' },
    });
  });

  test('held for the operator where the redeploy failed, and still looks', () => {
    const [outcome, reasonCode] = ['there is no certificate', 'no-certificate'] as const;
    const failed = redeploy({ state: 'failed', outcome, reasonCode, code: reasonCode });
    expect(judge({ redeploy: failed })).toEqual({
      kind: 'wait',
      sentence: expect.stringContaining(outcome),
      delayMs: backoff.tlsLongestMs,
      report: { state: 'held', reasonCode, mustAct: 'operator' },
    });
  });
});

describe('an order that holds its names', () => {
  test.each([...NOT_COVERED, 'unknown'] as const)('has time until the deadline (%s)', (verdict) => {
    expect(judge({ tls: [shown(verdict)], order: ordered() })).toMatchObject({
      kind: 'wait',
      delayMs: 500,
      report: { state: 'waiting-for-certificate', reasonCode: 'certificate-ordered' },
      sentence: expect.stringMatching(/09:59 UTC.*10:01 UTC.*CERTIFICATE_DEADLINE/),
    });
  });

  test('is checked once more right after the deadline', () => {
    const step = judge({ order: ordered({ orderedAt: NOW - 4_990 }), deadlineMs: 5_000 });
    expect(step).toMatchObject({ kind: 'wait', delayMs: 11 });
  });

  test.each(NOT_COVERED)('has failed at the deadline where the handshake says %s', (verdict) => {
    const order = ordered();
    expect(judge({ tls: [shown(verdict)], order, deadlineMs: 1_000 })).toEqual({
      kind: 'order-failed',
      order,
      sentence: expect.stringMatching(/09:59 UTC.*shop\.example\.org$/),
      mustAct: 'runcloud',
    });
  });

  test('has not failed where no handshake came about: it is held for the operator, and checked', () => {
    const step = judge({ tls: [shown('unknown')], order: ordered(), deadlineMs: 1 });
    expect(step).toEqual({
      kind: 'wait',
      sentence: expect.any(String),
      delayMs: backoff.tlsLongestMs,
      report: { state: 'held', reasonCode: 'tls-unknown', mustAct: 'operator' },
    });
  });

  test('has not failed where one of two names could not be checked', () => {
    const tls = [shown('wrong-name'), shown('unknown', WWW_SHOP)];
    const step = judge({ tls, order: ordered({ names: [SHOP, WWW_SHOP] }), deadlineMs: 1 });
    expect(step.kind).toBe('wait');
  });

  test('has failed for the www name alone, which is named alone', () => {
    const tls = [shown('covers'), shown('wrong-name', WWW_SHOP)];
    const step = judge({ tls, order: ordered({ names: [SHOP, WWW_SHOP] }), deadlineMs: 1 });
    expect(step).toMatchObject({
      kind: 'order-failed',
      sentence: expect.stringMatching(/ www\.shop\.example\.org$/),
    });
  });

  test.each(['missing', 'elsewhere', 'leftover', 'forbidden'] as const)(
    'has failed by the customer where DNS is %s',
    (verdict) => {
      const step = judge({ order: ordered(), deadlineMs: 1, dns: [found(verdict)] });
      expect(step).toMatchObject({
        kind: 'order-failed',
        mustAct: 'customer',
        sentence: expect.stringContaining(`${SHOP} is ${verdict}`),
      });
    },
  );

  test('has failed by RunCloud where DNS could not be queried', () => {
    const step = judge({ order: ordered(), deadlineMs: 1, dns: [found('unknown')] });
    expect(step).toMatchObject({ kind: 'order-failed', mustAct: 'runcloud' });
  });
});

test('an order that failed for a certificate by dns-01 says so, and what the operator can do', () => {
  const replaces = { id: 88, validUntil: undefined, authorizationMethod: 'dns-01' };
  const order = ordered({ orderedAt: NOW - 30_000, replaces });
  const facts = { tls: [shown('wrong-name')], order, attachedAt: NOW - 60_000 };
  expect(judge({ ...facts, advanced: true })).toMatchObject({
    kind: 'order-failed',
    mustAct: 'operator',
    sentence: expect.stringMatching(/dns-01.*SSL_SWITCH_TO_HTTP01=on.*`redeploy shop/),
  });
  expect(judge(facts)).toMatchObject({
    mustAct: 'operator',
    sentence: expect.stringMatching(/dns-01(?!.*SSL_SWITCH_TO_HTTP01)/),
  });
  expect(judge({ ...facts, dns: [found('missing')] })).toMatchObject({ mustAct: 'customer' });
  const byHttp = ordered({ ...order, replaces: { ...replaces, authorizationMethod: 'http-01' } });
  expect(judge({ ...facts, order: byHttp })).toMatchObject({
    mustAct: 'runcloud',
    sentence: expect.not.stringContaining('01'),
  });
});
