// What `status` prints: the table of all domains, and one domain for a support agent.
import { describe, expect, test } from '@jest/globals';
import { domainRecord, toRecord } from '../../src/api-records/domains.ts';
import { judgeFlags } from '../../src/cli/commands/status.ts';
import { badChoice, DOMAIN_ONLY, listOnly } from '../../src/cli/messages.ts';
import { describeDomain, type StatusOptions } from '../../src/cli/output/status-domain.ts';
import { describeDomains } from '../../src/cli/output/status-list.ts';
import * as text from '../../src/cli/output/status-messages.ts';
import type { DomainRecord, Evidence } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import type { ReasonCode } from '../../src/domains/reasons.ts';
import { stateNames } from '../../src/domains/states.ts';
import { codes } from '../../src/errors.ts';
import { toRecord as toDnsRecord } from '../../src/probes/dns-records.ts';
import type { DnsFinding, TlsFinding } from '../../src/probes/findings.ts';
import type { DomainDetails, JobStatus } from '../../src/queue/operator.ts';
import type { Pause } from '../../src/queue/pauses.ts';
import { recordOf, toldOf } from '../helpers/record.ts';

const NOW = Date.parse('2026-11-24T10:20:00Z');
const MINUTE = 60_000;
const options: StatusOptions = { nowMs: NOW, steps: 5, hasDnsGate: true, monitorIntervalMs: 6 * 60 * MINUTE };

const jobOf = (facts: Partial<JobStatus> = {}): JobStatus => ({
  id: 'shop.example.org_1903_646~7',
  state: 'completed',
  attemptsMade: 1,
  failedReason: undefined,
  result: undefined,
  nextRunAt: undefined,
  ...facts,
});

const statusOf = (facts: Partial<DomainRecord>, more: Partial<DomainDetails> = {}): DomainDetails => ({
  record: recordOf({ stateAt: NOW - 15 * MINUTE, requestedAt: NOW - 20 * MINUTE, ...facts }),
  job: jobOf(),
  certificate: toldOf(),
  redeploy: undefined,
  history: [],
  budgets: [],
  ...more,
});
const delayed = { job: jobOf({ state: 'delayed', nextRunAt: NOW + 5 * MINUTE }) } as const;

const SENTENCE =
  'shop.example.org leads to 198.51.100.9, not to 203.0.113.7: set its A record to 203.0.113.7';
const away: DnsFinding = {
  name: 'shop.example.org',
  verdict: 'elsewhere',
  sentence: SENTENCE,
  expected: ['203.0.113.7'],
  observed: { a: ['198.51.100.9'], aaaa: [], cname: [], caa: [] },
  changes: {
    set: [toDnsRecord('shop.example.org', 'A', '203.0.113.7')],
    remove: [toDnsRecord('shop.example.org', 'A', '198.51.100.9')],
    unsure: [],
  },
};
const here: DnsFinding = {
  ...away,
  changes: undefined,
  verdict: 'here',
  sentence: 'shop.example.org leads to 203.0.113.7',
  observed: { ...away.observed, a: ['203.0.113.7'] },
};
const covers: TlsFinding = {
  name: 'shop.example.org',
  verdict: 'covers',
  sentence: 'the certificate for shop.example.org is in place, valid until 2027-02-20',
  address: '203.0.113.7:443',
  certificate: {
    subject: 'shop.example.org',
    issuer: "Let's Encrypt R11",
    names: ['shop.example.org', 'www.shop.example.org'],
    notBefore: NOW,
    notAfter: Date.parse('2027-02-20T00:00:00Z'),
  },
  httpStatus: 200,
};
const evidenceOf = (dns: DnsFinding[], tls: TlsFinding[] = []): Evidence => ({
  at: NOW - 2 * MINUTE,
  dns,
  tls,
});
const waitingForDns: Partial<DomainRecord> = {
  state: 'waiting-for-dns',
  mustAct: 'customer',
  outcome: SENTENCE,
  outcomeAt: NOW - 2 * MINUTE,
  by: 'api:shop',
  for: 'web-1',
  siteId: '12',
  evidence: evidenceOf([away]),
};
const live: Partial<DomainRecord> = {
  state: 'live',
  request: 'settled',
  outcome: 'HTTPS works: a handshake showed a certificate that covers shop.example.org until 2027-02-20',
  outcomeAt: NOW - 2 * MINUTE,
  evidence: evidenceOf([here], [covers]),
};

describe('one domain', () => {
  test('that waits for DNS has the reason, the missing records, and the next check', () => {
    const history = [
      { at: NOW - 15 * MINUTE, state: 'waiting-for-dns', reason: SENTENCE },
      { at: NOW - 20 * MINUTE, state: 'requested', reason: 'requested by web-1' },
    ] as const;
    expect(describeDomain(statusOf(waitingForDns, { ...delayed, history }), options)).toMatchSnapshot();
  });

  test('that is live has what was observed, and what the certificate has cost', () => {
    const certificate = toldOf({
      state: 'done',
      outcome: 'its certificate was ordered at 2026-11-24 10:10 UTC',
      outcomeAt: NOW - 10 * MINUTE,
    });
    const budgets = [
      { limit: 'certificates-per-week', subject: 'example.org', left: 49, of: 50 },
      { limit: 'failures-per-hour', subject: 'shop.example.org', left: 5, of: 5 },
    ] as const;
    const redeploy = jobOf({ id: 'redeploy_1903_646~8' });
    expect(describeDomain(statusOf(live, { certificate, redeploy, budgets }), options)).toMatchSnapshot();
  });

  const failed = { state: 'failed', request: 'failed', code: 'no-certificate', outcome: 'no' } as const;
  const wrongDns = { ...live, evidence: evidenceOf([away], [covers]) };
  const lines: readonly (readonly [string, DomainDetails, Partial<StatusOptions>, readonly string[]])[] = [
    [
      'who must act when the deadline for DNS has passed: the customer',
      statusOf({ ...waitingForDns, state: 'held', mustAct: 'customer' }),
      {},
      [text.mustActLine('customer', undefined, true), text.RECORDS_TO_SET],
    ],
    [
      'who must act: RunCloud',
      statusOf({ state: 'held', mustAct: 'runcloud' }),
      {},
      [text.mustActLine('runcloud', undefined, false)],
    ],
    [
      "that nobody must act while a Let's Encrypt limit is reached",
      statusOf({ state: 'held', mustAct: 'letsencrypt' }),
      {},
      [text.mustActLine('letsencrypt', undefined, false)],
    ],
    [
      'what you must do when the job has failed, and how to retry',
      statusOf({ ...failed, outcomeAt: NOW }, { job: jobOf({ state: 'failed' }) }),
      {},
      [
        text.reasonLine('no', 'no-certificate', '0 s ago'),
        text.mustActLine('operator', codes['no-certificate'].fix, false),
        text.retryLine(jobOf().id, false),
      ],
    ],
    [
      'the redeploy to retry when it has failed',
      statusOf(
        { state: 'held', mustAct: 'operator' },
        {
          redeploy: jobOf({ id: 'redeploy_1903_646~8', state: 'failed' }),
          certificate: toldOf({ isPending: true, state: 'failed', outcome: 'there is none', outcomeAt: NOW }),
        },
      ),
      {},
      [
        text.mustActLine('operator', undefined, false),
        text.retryLine('redeploy_1903_646~8', false),
        text.certificateResult('there is none', '0 s ago', undefined),
        text.redeployLine('failed'),
      ],
    ],
    [
      'wrong DNS of a live domain as a warning',
      statusOf(wrongDns),
      {},
      [text.dnsWarning(SENTENCE, true), text.RECORDS_TO_SET],
    ],
    [
      'wrong DNS as a warning that is ignored, when DNS_GATE is off',
      statusOf(wrongDns),
      { hasDnsGate: false },
      [text.dnsWarning(SENTENCE, false), text.RECORDS_TO_SET],
    ],
    [
      'the reason of a step that is newer than the last outcome',
      statusOf(
        { ...waitingForDns, state: 'attaching', stateAt: NOW - MINUTE },
        { history: [{ at: NOW - MINUTE, state: 'attaching', reason: 'the write began' }] },
      ),
      {},
      [text.reasonLine('the write began', undefined, '60 s ago')],
    ],
    [
      'what a worker does at the moment',
      statusOf({}, { job: jobOf({ state: 'active' }) }),
      {},
      [text.jobLine(jobOf().id, 'running')],
    ],
    [
      'that a missing job comes back',
      statusOf({}, { job: jobOf({ state: 'gone' }) }),
      {},
      [text.jobMissing(jobOf().id)],
    ],
  ];
  test.each(lines)('shows %s', (_, status, more, expected) => {
    const shown = describeDomain(status, { ...options, ...more });
    // In this order.
    expect(shown.filter((line) => expected.includes(line))).toEqual(expected);
  });

  test('of a removed domain keeps its history, and says nothing of old DNS', () => {
    const history = [{ at: NOW - MINUTE, state: 'removed', reason: 'shop.example.org removed' }] as const;
    const gone = statusOf(
      {
        ...waitingForDns,
        state: 'removed',
        mustAct: undefined,
        request: 'settled',
        desired: { presence: 'absent' },
      },
      { history },
    );
    const shown = describeDomain(gone, options).join('\n');
    expect(shown).toMatch(/^ {2}2026-11-24 10:19:00 UTC {4}removed {2}shop\.example\.org removed$/m);
    expect(shown).not.toMatch(/DNS of|records|customer|Next check/);
  });

  test('has five transitions, and says how many more there are', () => {
    const history = Array.from({ length: 8 }, (_, i) => ({
      at: NOW - i * MINUTE,
      state: 'held' as const,
      mustAct: 'letsencrypt' as const,
      reason: `reason ${i}`,
    }));
    const shownOf = (steps: number) => describeDomain(statusOf({}, { history }), { ...options, steps });
    expect(shownOf(5).slice(-6)).toEqual([
      text.historyHeading(3),
      ...[0, 1, 2, 3, 4].map(
        (i) => `  2026-11-24 10:${20 - i}:00 UTC  +1 min  held (Let's Encrypt)  reason ${i}`,
      ),
    ]);
    expect(shownOf(Number.POSITIVE_INFINITY).at(-1)).toMatch(/reason 7$/);
  });

  test('repeats no control characters of a server’s certificate', () => {
    const certificate = {
      subject: '',
      names: ['a\u001b[31m.example'],
      issuer: 'x\ny',
      notBefore: 0,
      notAfter: Number.NaN,
    };
    const evidence = evidenceOf([], [{ ...covers, verdict: 'wrong-name', certificate }]);
    const shown = describeDomain(statusOf({ ...live, evidence }), options).join('\n');
    expect(shown).toMatch(
      /certificate for a \[31m\.example, by x y, valid until an unknown day \(wrong-name\)/,
    );
  });
});

describe('the list', () => {
  const domains = [
    statusOf({ ...waitingForDns, domain: parseDomainName('a.example.org') }, delayed),
    statusOf({ ...live, domain: parseDomainName('b.example.org') }),
    statusOf({ state: 'held', mustAct: 'operator', outcome: 'no', domain: parseDomainName('c.example.org') }),
  ];

  test('counts the stages, shows who must act, and cuts long outcomes so that 100 columns suffice', () => {
    const counted = { live: 7, held: 1, 'waiting-for-dns': 2 } as const;
    const lines = describeDomains(
      { domains, certificates: [], states: counted, selected: 3, apps: 1 },
      { nowMs: NOW, columns: 100 },
    );
    expect(lines).toEqual([
      text.domainsLine(['2 waiting-for-dns', '7 live', '1 held']),
      'DOMAIN         REQUESTED  STATE                       NEXT      REASON',
      'a.example.org  attach     waiting-for-dns (customer)  in 5 min  shop.example.org leads to 198.51.10…',
      'b.example.org  attach     live                                  HTTPS works: a handshake showed a c…',
      'c.example.org  attach     held (you)                            no',
    ]);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('distinguishes a taken job that waits for a pause of everything from a running one', () => {
    const pause: Pause = {
      scope: { kind: 'all' },
      by: 'cli:ada',
      reason: 'a move',
      at: NOW,
      untilMs: undefined,
      leftMs: undefined,
    };
    const taken = (reasonCode: ReasonCode | undefined): DomainDetails =>
      statusOf({ outcome: 'why', reasonCode }, { job: jobOf({ state: 'active' }) });
    const waits = taken('paused');
    const survey = { certificates: [], states: { requested: 2 }, selected: 2, apps: 1 } as const;
    const lines = describeDomains(
      { ...survey, domains: [waits, taken(undefined)] },
      { nowMs: NOW, pauseOfAll: pause },
    );
    expect(lines[2]).toMatch(new RegExp(` ${text.NEXT.paused} +why$`));
    expect(lines[3]).toMatch(new RegExp(` ${text.NEXT.active} +why$`));
    const [, , unpaused] = describeDomains({ ...survey, domains: [waits] }, { nowMs: NOW });
    expect(unpaused).toMatch(new RegExp(` ${text.NEXT.active} `));
    const next = text.jobWaitsForPause(waits.job.id);
    expect(describeDomain(waits, { ...options, paused: pause })).toContain(next);
    expect(describeDomain(waits, options)).not.toContain(next);
  });

  test('says so when nothing was requested, and when no domain matches', () => {
    const none = { domains: [], certificates: [], states: {}, selected: 0, apps: 0 };
    expect(describeDomains(none, { nowMs: NOW })).toEqual([text.NO_DOMAINS]);
    const selection = { states: ['held', 'failed'], mustAct: ['customer'] } as const;
    expect(describeDomains({ ...none, states: { live: 1 } }, { nowMs: NOW, selection })).toEqual([
      text.domainsLine(['1 live']),
      text.noMatch('held or failed, customer must act'),
    ]);
  });
});

describe('the command line', () => {
  test.each([
    ['states one by one and in a list with commas', undefined, { state: ['held', 'live, failed'] }],
    ['all transitions of one domain', 'a.example.org', { history: true }],
    ['neither', undefined, {}],
  ] as const)('takes %s', (_, domain, flags) => {
    expect(judgeFlags(domain, flags)).toBeUndefined();
  });

  test.each([
    [
      'a state that is none',
      undefined,
      { state: ['held,settled'] },
      badChoice('--state', stateNames, 'settled'),
    ],
    ['a state together with a domain', 'a.example.org', { state: ['held'] }, listOnly('--state')],
    ['all transitions of no domain', undefined, { history: true }, DOMAIN_ONLY],
  ] as const)('refuses %s', (_, domain, flags, problem) => {
    expect(judgeFlags(domain, flags)).toBe(problem);
  });
});

test('JSON has state, request, evidence and history, with times as ISO 8601 and null for what is not known', () => {
  const history = [{ at: NOW, state: 'live', reason: 'observed' }] as const;
  expect(JSON.parse(JSON.stringify(toRecord(statusOf(live, { history }))))).toMatchObject({
    state: 'live',
    since: '2026-11-24T10:05:00.000Z',
    mustAct: null,
    nextCheckAt: null,
    request: 'settled',
    evidence: {
      at: '2026-11-24T10:18:00.000Z',
      dns: [{ verdict: 'here' }],
      tls: [{ certificate: { notAfter: '2027-02-20T00:00:00.000Z' } }],
    },
    history: [
      { at: '2026-11-24T10:20:00.000Z', state: 'live', mustAct: null, reason: 'observed', code: null },
    ],
    job: { state: 'completed' },
    redeploy: null,
    certificate: null,
  });
  const many = { ...away, observed: { ...away.observed, more: 7 } };
  const waits = toRecord(statusOf({ ...waitingForDns, evidence: evidenceOf([many]) }, delayed));
  expect(waits.evidence?.dns[0]?.observed.more).toBe(7);
  expect(domainRecord.strict().safeParse(waits).error).toBeUndefined();
  expect(waits).toMatchObject({
    state: 'waiting-for-dns',
    mustAct: 'customer',
    dnsRecords: {
      set: [{ name: 'shop.example.org', type: 'A', value: '203.0.113.7', alternatives: [], proxied: null }],
      remove: [{ name: 'shop.example.org', type: 'A', value: '198.51.100.9' }],
      unsure: [],
    },
    nextCheckAt: '2026-11-24T10:25:00.000Z',
    request: 'pending',
  });
});
