// Every list and status fits into a terminal of 80 columns, with the longest possible name. A program gets all of it.
import { describe, expect, test } from '@jest/globals';
import type { ProducerApp } from '../../src/app/app.ts';
import type { AuditEntry } from '../../src/audit/audit.ts';
import type { Delivery } from '../../src/callbacks/deliveries.ts';
import { showAudit } from '../../src/cli/commands/audit.ts';
import { showDeliveries } from '../../src/cli/commands/callbacks.ts';
import { showFailed } from '../../src/cli/commands/failed.ts';
import { showPauses } from '../../src/cli/commands/pause.ts';
import { showDomain, showQueue } from '../../src/cli/commands/status.ts';
import { showFindings } from '../../src/cli/doctor/checks.ts';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import type { DomainDetails, FailedJob } from '../../src/queue/operator.ts';
import type { Pause } from '../../src/queue/pauses.ts';
import { recordOf, toldOf } from '../helpers/record.ts';
import { type RecordedTerminal, recordedTerminal } from '../helpers/terminal.ts';

const NAME = parseDomainName(`${'a'.repeat(60)}.${'b'.repeat(36)}.example.org`);
const REASON = `${NAME} leads to 198.51.100.9, not to 203.0.113.7: set its A record to 203.0.113.7, and remove the others`;
const NOW = Date.now();

const record: DomainRecord = recordOf({
  domain: NAME,
  jobId: `${NAME}_1903_646~7`,
  state: 'waiting-for-dns',
  mustAct: 'customer',
  outcome: REASON,
  outcomeAt: NOW,
  by: 'api:shop',
  for: 'web-1',
});
const details: DomainDetails = {
  record,
  job: {
    id: record.jobId,
    state: 'delayed',
    attemptsMade: 0,
    failedReason: undefined,
    result: undefined,
    nextRunAt: NOW + 60_000,
  },
  certificate: toldOf(),
  redeploy: undefined,
  history: [
    { at: NOW, state: 'waiting-for-dns', mustAct: 'customer', reason: REASON },
    { at: NOW - 100, state: 'requested', reason: 'requested by api:shop for "web-1"' },
  ],
  budgets: [{ limit: 'certificates-per-week', subject: NAME, left: 1, of: 50 }],
};
const pause: Pause = {
  scope: { kind: 'site', siteId: 's'.repeat(100) },
  by: 'cli:ada',
  reason: `because of ${NAME}`,
  at: NOW,
  untilMs: undefined,
  leftMs: undefined,
};
const failed: FailedJob = {
  id: record.jobId,
  name: 'add-domain',
  domain: NAME,
  serverId: 1903,
  appId: 646,
  reason: `runcloud-rejected: ${NAME} is on another web application`,
  code: 'runcloud-rejected',
  attempts: 3,
  failedAt: NOW,
  nextCheckAt: NOW + 600_000,
};
const delivery: Delivery = {
  id: `msg_${'1'.repeat(20)}_${'f'.repeat(16)}`,
  messageId: `msg_${'1'.repeat(20)}`,
  type: 'domain.held',
  url: `https://app.example.org/${'x'.repeat(90)}`,
  domain: NAME,
  state: 'failed',
  attempts: 7,
  lastError: 'the receiver answered 500 Internal Server Error',
  reasonCode: 'receiver-error',
  at: NOW,
} as const;
const entry: AuditEntry = {
  id: '1-0',
  at: NOW,
  who: 'api:shop',
  for: 'w'.repeat(100),
  what: 'remove',
  domains: [NAME, NAME],
  domainCount: 2,
  detail: `web application 646, job ${record.jobId}`,
};

const app = {
  operator: {
    counts: async () => ({ waiting: 0, active: 0, delayed: 1, failed: 1, completed: 0 }),
    unavailable: async () => undefined,
    survey: async () => ({
      domains: [details],
      certificates: [],
      selected: 1,
      apps: 2,
      states: { 'waiting-for-dns': 1 },
    }),
    everywhere: async () => [record],
    details: async () => details,
    failed: async () => [failed],
  },
  pauses: { list: async () => [pause], pausedBy: async () => pause },
  deliveries: { list: async () => ({ deliveries: [delivery], next: delivery.id }) },
  audit: { list: async () => [entry] },
  checkSettings: { hasDnsGate: true, monitorIntervalMs: undefined },
} as unknown as ProducerApp;

async function* findings() {
  yield { level: 'fail', subject: 'web application', sentence: REASON, fix: `correct ${NAME}` } as const;
}

const commands: Record<string, (terminal: RecordedTerminal, json: boolean) => Promise<unknown>> = {
  status: (terminal, json) => showQueue(app, { json }, terminal),
  'status <domain>': (terminal, json) => showDomain(NAME, app, { json }, terminal),
  failed: (terminal, json) => showFailed(app, { json }, terminal),
  'callbacks list': (terminal, json) => showDeliveries(app, { json }, terminal),
  audit: (terminal, json) => showAudit({ json, limit: '50' }, app, terminal),
  pauses: (terminal, json) => showPauses({ json }, app, terminal),
  doctor: (terminal, json) => showFindings(findings(), { warnings: [], hasDotEnv: true }, { json }, terminal),
};

describe.each(Object.entries(commands))('%s', (name, show) => {
  test.each([60, 80, 132])('fits into %i columns', async (columns) => {
    const terminal = recordedTerminal(columns);
    await show(terminal, false);
    expect(terminal.lines.length).toBeGreaterThan(0);
    for (const line of terminal.lines) expect(line.length).toBeLessThanOrEqual(columns);
  });

  test('is whole for a program, as a table and as JSON', async () => {
    if (name === 'pauses') return;
    for (const json of [false, true]) {
      const terminal = recordedTerminal();
      await show(terminal, json);
      expect(terminal.text()).toContain(NAME);
      expect(terminal.text()).not.toContain('…');
      if (json) expect(() => JSON.parse(terminal.text())).not.toThrow();
    }
  });
});

test('the list’s reason begins with what is wrong, not with the name beside it', async () => {
  const terminal = recordedTerminal(80);
  await showQueue(app, {}, terminal);
  expect(terminal.text()).toMatch(/^a+…\S+\.org .* waiting-for-dns \(customer\) .*leads to /m);
});

test.each(['failed', 'callbacks list', 'audit'])('%s loses nothing in 80 columns', async (name) => {
  const terminal = recordedTerminal(80);
  await commands[name]?.(terminal, false);
  expect(terminal.text().replaceAll(/\s/g, '')).toContain(NAME);
});
