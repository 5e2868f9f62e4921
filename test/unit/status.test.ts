// What `status` prints: the table of all domains, and one domain's story for a support agent.
import { describe, expect, test } from '@jest/globals';
import { domainRecord, toRecord } from '../../src/api-records/domains.ts';
import { judgeFlags } from '../../src/cli/commands/status.ts';
import { describeDomain, type Telling } from '../../src/cli/output/status-domain.ts';
import { describeDomains } from '../../src/cli/output/status-list.ts';
import type { DomainRecord, Evidence } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { toRecord as toDnsRecord } from '../../src/probes/dns-records.ts';
import type { DnsFinding, TlsFinding } from '../../src/probes/findings.ts';
import type { DomainDetails, JobStatus } from '../../src/queue/operator.ts';
import type { Pause } from '../../src/queue/pauses.ts';
import { recordOf, toldOf } from '../helpers/record.ts';

const NOW = Date.parse('2026-11-24T10:20:00Z');
const MINUTE = 60_000;
const telling: Telling = { nowMs: NOW, steps: 5, hasDnsGate: true, monitorIntervalMs: 6 * 60 * MINUTE };

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
const seen = (dns: DnsFinding[], tls: TlsFinding[] = []): Evidence => ({ at: NOW - 2 * MINUTE, dns, tls });
const waitingForDns: Partial<DomainRecord> = {
  state: 'waiting-for-dns',
  mustAct: 'customer',
  outcome: SENTENCE,
  outcomeAt: NOW - 2 * MINUTE,
  by: 'api:shop',
  for: 'web-1',
  siteId: '12',
  evidence: seen([away]),
};
const live: Partial<DomainRecord> = {
  state: 'live',
  request: 'settled',
  outcome: 'HTTPS works: a handshake showed a certificate that covers shop.example.org until 2027-02-20',
  outcomeAt: NOW - 2 * MINUTE,
  evidence: seen([here], [covers]),
};

describe('the story of a domain', () => {
  test('that waits for DNS says why, which records are missing, and when we look again', () => {
    const history = [
      { at: NOW - 15 * MINUTE, state: 'waiting-for-dns', reason: SENTENCE },
      { at: NOW - 20 * MINUTE, state: 'requested', reason: 'asked for by web-1' },
    ] as const;
    expect(describeDomain(statusOf(waitingForDns, { ...delayed, history }), telling)).toEqual([
      'shop.example.org: waiting-for-dns (customer) since 2026-11-24 10:05 UTC (15 min ago).',
      'It shall be attached (web application 646); asked for 20 min ago by api:shop for "web-1", site 12.',
      `Why: ${SENTENCE} (2 min ago).`,
      'The customer must act: DNS is not right yet.',
      'DNS records to set:',
      '  shop.example.org.  A  203.0.113.7',
      'DNS records to remove:',
      '  shop.example.org.  A  198.51.100.9',
      'We look again at 2026-11-24 10:25 UTC (in 5 min); job shop.example.org_1903_646~7.',
      'Seen 2 min ago:',
      '  DNS of shop.example.org: A 198.51.100.9 (elsewhere)',
      'History, newest first, with the time since the step before:',
      `  2026-11-24 10:05:00 UTC  +5 min  waiting-for-dns  ${SENTENCE}`,
      '  2026-11-24 10:00:00 UTC          requested        asked for by web-1',
    ]);
  });

  test('that is live says what was seen, and what the certificate has cost', () => {
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
    expect(describeDomain(statusOf(live, { certificate, redeploy, budgets }), telling)).toEqual([
      'shop.example.org: live since 2026-11-24 10:05 UTC (15 min ago).',
      'It shall be attached (web application 646); asked for 20 min ago.',
      'Last outcome: HTTPS works: a handshake showed a certificate that covers shop.example.org until 2027-02-20 (2 min ago).',
      'We look again every 6 h.',
      'Seen 2 min ago:',
      '  DNS of shop.example.org: A 203.0.113.7 (here)',
      "  HTTPS of shop.example.org: certificate for shop.example.org, www.shop.example.org, by Let's Encrypt R11, valid until 2027-02-20 (covers); HTTP 200",
      'Certificate: its certificate was ordered at 2026-11-24 10:10 UTC (10 min ago).',
      "Let's Encrypt's budget left: 49 of 50 certificates per week (example.org).",
    ]);
  });

  const says: readonly (readonly [string, DomainDetails, Partial<Telling>, RegExp])[] = [
    [
      'who must act where the deadline for DNS has passed: the customer',
      statusOf({ ...waitingForDns, state: 'held', mustAct: 'customer' }),
      {},
      /^shop\.example\.org: held \(customer\) since [\s\S]*^The customer must act: DNS is not right yet\.\nDNS records to set:/m,
    ],
    [
      'who must act: RunCloud',
      statusOf({ state: 'held', mustAct: 'runcloud' }),
      {},
      /^RunCloud must act \(open a ticket if it lasts\)\.$/m,
    ],
    [
      "who must act: nobody, while Let's Encrypt's limit passes",
      statusOf({ state: 'held', mustAct: 'letsencrypt' }),
      {},
      /^Let's Encrypt's limit must pass; nothing to do\.$/m,
    ],
    [
      'who must act where the job has failed: you, with what to do, and how to try again',
      statusOf(
        { state: 'failed', request: 'failed', code: 'no-certificate', outcome: 'no', outcomeAt: NOW },
        { job: jobOf({ state: 'failed' }) },
      ),
      {},
      /^Why: no \[no-certificate\] \(0 s ago\)\.\nYou must act: Install a Let's Encrypt .*\nThen try it again: runcloud-domains retry shop\.example\.org_1903_646~7$/m,
    ],
    [
      'the redeploy to try again where that has failed',
      statusOf(
        { state: 'held', mustAct: 'operator' },
        {
          redeploy: jobOf({ id: 'redeploy_1903_646~8', state: 'failed' }),
          certificate: toldOf({ isPending: true, state: 'failed', outcome: 'there is none', outcomeAt: NOW }),
        },
      ),
      {},
      /^You must act\.\nThen try it again: runcloud-domains retry redeploy_1903_646~8$[\s\S]*^Certificate: there is none \(0 s ago\)\.\nCertificate redeploy: failed\.$/m,
    ],
    [
      'bad DNS of a live domain as a warning',
      statusOf({ ...live, evidence: seen([away], [covers]) }),
      {},
      /^Warning: shop\.example\.org leads to .*\.\nDNS records to set:/m,
    ],
    [
      'bad DNS as a warning for which nothing waits, where DNS_GATE is off',
      statusOf({ ...live, evidence: seen([away], [covers]) }),
      { hasDnsGate: false },
      /^Warning \(nothing waits for it, DNS_GATE is off\): shop\.example\.org leads to .*\.\nDNS records to set:/m,
    ],
    [
      'the reason of a step that is newer than the last outcome',
      statusOf(
        { ...waitingForDns, state: 'attaching', stateAt: NOW - MINUTE },
        {
          history: [{ at: NOW - MINUTE, state: 'attaching', reason: 'RunCloud is asked to attach it' }],
        },
      ),
      {},
      /^Why: RunCloud is asked to attach it \(60 s ago\)\.$/m,
    ],
    [
      'what a worker does at the moment',
      statusOf({}, { job: jobOf({ state: 'active' }) }),
      {},
      /^Its job shop\.example\.org_1903_646~7: at work\.$/m,
    ],
    [
      'that a job which is gone comes back',
      statusOf({}, { job: jobOf({ state: 'gone' }) }),
      {},
      /is gone; the sweep will add it again\.$/m,
    ],
  ];
  test.each(says)('says %s', (_, status, more, pattern) => {
    expect(describeDomain(status, { ...telling, ...more }).join('\n')).toMatch(pattern);
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
    const text = describeDomain(gone, telling).join('\n');
    expect(text).toMatch(/^ {2}2026-11-24 10:19:00 UTC {4}removed {2}shop\.example\.org removed$/m);
    expect(text).not.toMatch(/DNS of|records|customer|look again/);
  });

  test('tells five transitions and how many more there are', () => {
    const history = Array.from({ length: 8 }, (_, i) => ({
      at: NOW - i * MINUTE,
      state: 'held' as const,
      mustAct: 'letsencrypt' as const,
      reason: `reason ${i}`,
    }));
    const tell = (steps: number) => describeDomain(statusOf({}, { history }), { ...telling, steps });
    expect(tell(5).slice(-6)).toEqual([
      'History, newest first, with the time since the step before (3 more with --history):',
      ...[0, 1, 2, 3, 4].map(
        (i) => `  2026-11-24 10:${20 - i}:00 UTC  +1 min  held (Let's Encrypt)  reason ${i}`,
      ),
    ]);
    expect(tell(Number.POSITIVE_INFINITY).at(-1)).toMatch(/reason 7$/);
  });

  test('repeats no control characters of a server’s certificate', () => {
    const certificate = {
      subject: '',
      names: ['a\u001b[31m.example'],
      issuer: 'x\ny',
      notBefore: 0,
      notAfter: Number.NaN,
    };
    const evidence = seen([], [{ ...covers, verdict: 'wrong-name', certificate }]);
    const text = describeDomain(statusOf({ ...live, evidence }), telling).join('\n');
    expect(text).toMatch(
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
      'domains: 2 waiting-for-dns, 7 live, 1 held',
      'DOMAIN         WANTED    STATE                       NEXT      LAST OUTCOME',
      'a.example.org  attached  waiting-for-dns (customer)  in 5 min  shop.example.org leads to 198.51.100…',
      'b.example.org  attached  live                                  HTTPS works: a handshake showed a ce…',
      'c.example.org  attached  held (you)                            no',
    ]);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('tells a job that a worker has taken, and holds for a pause of everything, from one at work', () => {
    const paused: Pause = {
      scope: { kind: 'all' },
      by: 'cli:ada',
      reason: 'a move',
      at: NOW,
      untilMs: undefined,
      leftMs: undefined,
    };
    const taken = (outcome: string): DomainDetails =>
      statusOf({ outcome }, { job: jobOf({ state: 'active' }) });
    const held = taken('paused by cli:bob: an earlier one, replaced');
    const lines = describeDomains(
      {
        domains: [held, taken('it began before')],
        certificates: [],
        states: { requested: 2 },
        selected: 2,
        apps: 1,
      },
      { nowMs: NOW, pauseOfAll: paused },
    );
    expect(lines[2]).toMatch(/ held +paused by cli:bob: an earlier one, replaced$/);
    expect(lines[3]).toMatch(/ at work +it began before$/);
    const one = {
      domains: [held],
      certificates: [],
      states: { requested: 1 },
      selected: 1,
      apps: 1,
    } as const;
    expect(describeDomains(one, { nowMs: NOW })[2]).toMatch(/ at work /);
    const next = `Its job ${held.job.id} waits for the end of the pause.`;
    expect(describeDomain(held, { ...telling, paused })).toContain(next);
    expect(describeDomain(held, telling)).not.toContain(next);
  });

  test('says so where nothing was asked for, and where no domain is as asked', () => {
    const none = { domains: [], certificates: [], states: {}, selected: 0, apps: 0 };
    expect(describeDomains(none, { nowMs: NOW })).toEqual([
      expect.stringMatching(/^no domain was asked for/),
    ]);
    const selection = { states: ['held', 'failed'], mustAct: ['customer'] } as const;
    expect(describeDomains({ ...none, states: { live: 1 } }, { nowMs: NOW, selection })).toEqual([
      'domains: 1 live',
      'no domain is like this: held or failed, customer must act',
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
      /must be one of requested, .*; got "settled"/,
    ],
    ['a state together with a domain', 'a.example.org', { state: ['held'] }, /name no domain/],
    ['all transitions of no domain', undefined, { history: true }, /--history is for one domain/],
  ] as const)('refuses %s', (_, domain, flags, pattern) => {
    expect(judgeFlags(domain, flags)).toMatch(pattern);
  });
});

test('JSON tells state, request, evidence and history, with times as ISO 8601 and null for what is not known', () => {
  const history = [{ at: NOW, state: 'live', reason: 'seen' }] as const;
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
    history: [{ at: '2026-11-24T10:20:00.000Z', state: 'live', mustAct: null, reason: 'seen', code: null }],
    job: { state: 'completed' },
    redeploy: null,
    certificate: null,
  });
  const many = { ...away, observed: { ...away.observed, more: 7 } };
  const waits = toRecord(statusOf({ ...waitingForDns, evidence: seen([many]) }, delayed));
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
