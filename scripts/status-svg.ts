// The picture of `status` in the README: what the command prints for a domain whose DNS points elsewhere. Pure.
import { wrap } from '../src/cli/output/layout.ts';
import { describeDomain } from '../src/cli/output/status-domain.ts';
import { parseDomainName } from '../src/domains/domain-name.ts';
import type { DnsFinding } from '../src/probes/findings.ts';
import { type DnsAnswers, judgeDns, toValues } from '../src/probes/judge-dns.ts';
import type { DomainDetails } from '../src/queue/operator.ts';
import { recordOf, toldOf } from '../test/helpers/record.ts';
import { type TerminalLine, toTerminalSvg } from './terminal-svg.ts';

const NOW = Date.parse('2026-11-24T10:05:00Z');
const MINUTE_MS = 60_000;
const NAME = 'annas-bakery.example';
const JOB = `${NAME}_1903_646~7`;
const HERE = '203.0.113.7';
const COLUMNS = 100;
const ROWS = 13;

const noRecord = { kind: 'none', nameExists: true } as const;

function findingOf(name: string, a: DnsAnswers['a']): DnsFinding {
  const judgement = judgeDns(name, { a, aaaa: noRecord, cname: [], caa: noRecord }, [HERE]);
  return { name, ...judgement, expected: [HERE], observed: { a: toValues(a), aaaa: [], cname: [], caa: [] } };
}

const dns = [
  findingOf(NAME, { kind: 'found', value: ['198.51.100.20'] }),
  findingOf(`www.${NAME}`, { kind: 'none', nameExists: false }),
];

const details: DomainDetails = {
  record: recordOf({
    domain: parseDomainName(NAME),
    desired: { presence: 'present', www: true, redirection: 'non-www' },
    state: 'waiting-for-dns',
    stateAt: NOW - 180 * MINUTE_MS,
    requestedAt: NOW - 180 * MINUTE_MS,
    by: 'api:shop',
    mustAct: 'customer',
    outcome: dns.map(({ sentence }) => sentence).join('; '),
    reasonCode: 'dns-wrong',
    outcomeAt: NOW - 20 * MINUTE_MS,
    nextRunAt: NOW + 40 * MINUTE_MS,
    evidence: { at: NOW - 20 * MINUTE_MS, dns, tls: [] },
    jobId: JOB,
  }),
  job: {
    id: JOB,
    state: 'delayed',
    attemptsMade: 0,
    failedReason: undefined,
    result: undefined,
    nextRunAt: NOW + 40 * MINUTE_MS,
  },
  certificate: toldOf(),
  redeploy: undefined,
  history: [],
  budgets: [],
};

export function statusSvg(): string {
  const options = { nowMs: NOW, steps: 0, hasDnsGate: true, monitorIntervalMs: 360 * MINUTE_MS };
  const rows = describeDomain(details, options).flatMap((line) => wrap(line, COLUMNS));
  const command: TerminalLine = { text: `$ runcloud-domains status ${NAME}`, tone: 'command', isWhole: true };
  const lines = [command, ...rows.slice(0, ROWS).map((text): TerminalLine => ({ text }))];
  return toTerminalSvg({ title: 'status', lines: rows.length > ROWS ? [...lines, { text: '…' }] : lines });
}
