// Who can be found how: the command line and the API select the same domains, and neither stops at fifty.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { judgeFlags, type StatusFlags, showQueue } from '../../src/cli/commands/status.ts';
import { ALL_OR_LIMIT, BAD_IDS, badChoice, badLimit, listOnly } from '../../src/cli/messages.ts';
import { moreDomainsLine } from '../../src/cli/output/status-messages.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { type Actor, actors, type DomainState as LifeStage, stateNames } from '../../src/domains/states.ts';
import { startServer, type TestServer } from '../helpers/http-server.ts';
import { recordedTerminal } from '../helpers/terminal.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

let stage: Stage;
let server: TestServer;
const COUNT = 260;

/** Every third waits for its DNS, which is the customer's; some are held by others; one application has a few alone. */
const kinds: readonly (readonly [LifeStage, Actor | undefined])[] = [
  ['live', undefined],
  ['waiting-for-dns', 'customer'],
  ['held', 'operator'],
  ['live', undefined],
  ['held', 'customer'],
  ['failed', undefined],
];

beforeAll(async () => {
  stage = await createStage({ workers: 0 });
  server = await startServer(stage.env);
  const { requests } = stage.producer;
  for (let i = 0; i < COUNT; i += 1) {
    const [at, mustAct] = kinds[i % kinds.length] ?? ['live', undefined];
    const key = { serverId: 1903, appId: i < 20 ? 701 : 646, domain: parseDomainName(`d${i}.example.org`) };
    const { jobId } = await requests.enqueue('add-domain', { ...key, siteId: String(i % 2) }, { bulk: true });
    const state = at === 'failed' ? 'failed' : at === 'live' ? 'settled' : 'pending';
    await requests.store.settle(key, jobId, {
      request: state,
      outcome: 'so it is',
      report: { state: at, reasonCode: 'attached', mustAct },
    });
  }
  await requests.enqueue('add-domain', { domain: 'bücher.example.org' });
}, 300_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

async function listed(flags: StatusFlags): Promise<string[]> {
  expect(judgeFlags(undefined, flags)).toBeUndefined();
  const terminal = recordedTerminal();
  await showQueue(stage.producer, { ...flags, json: true }, terminal);
  const { domains, selected } = JSON.parse(terminal.text());
  if (flags.limit === undefined) expect(selected).toBe(domains.length);
  return domains.map(({ domain }: { domain: string }) => domain);
}

async function served(query: string): Promise<string[]> {
  const found: string[] = [];
  let cursor = '';
  do {
    const { body } = await server.fetch('GET', `/v1/domains?limit=100&${query}${cursor}`, { as: 'read' });
    found.push(...body.domains.map(({ domain }: { domain: string }) => domain));
    cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor}`;
  } while (cursor !== '');
  return found;
}

const of = (...desired: number[]): number =>
  Array.from({ length: COUNT }, (_, i) => i).filter((i) => desired.includes(i % kinds.length)).length;

test.each<[string, StatusFlags, string, number]>([
  ['all', {}, '', COUNT + 1],
  ['those for whom the customer must act', { mustAct: ['customer'] }, 'mustAct=customer', of(1, 4)],
  ['those for whom you must act, the failed among them', { mustAct: ['you'] }, 'mustAct=operator', of(2, 5)],
  ['either', { mustAct: ['customer,operator'] }, 'mustAct=customer,operator', of(1, 2, 4, 5)],
  ['those in a state', { state: ['held', 'failed'] }, 'state=held,failed', of(2, 4, 5)],
  ['those of a web application', { app: '701' }, 'appId=701', 20],
  ['those of a server', { server: '1904' }, 'serverId=1904', 0],
  ['those of a site', { site: '1', app: '701' }, 'site=1&appId=701', 10],
  ['those named so', { search: 'D25' }, 'search=D25', 11],
  ['those named so in Unicode', { search: 'Bücher' }, `search=${encodeURIComponent('Bücher')}`, 1],
  [
    'all at once',
    { mustAct: ['customer'], state: ['held'], app: '701' },
    'mustAct=customer&state=held&appId=701',
    3,
  ],
])('%s are the same on the command line and over the API', async (_, flags, query, count) => {
  const [fromCli, fromApi] = [await listed(flags), await served(query)];
  expect(fromCli).toHaveLength(count);
  expect(fromCli.toSorted()).toEqual(fromApi.toSorted());
});

describe('for a person, the list', () => {
  const shown = async (flags: StatusFlags): Promise<string[]> => {
    const terminal = recordedTerminal(100);
    await showQueue(stage.producer, flags, terminal);
    return terminal.lines;
  };
  const rows = (lines: readonly string[]) => lines.filter((line) => /^\S+\.example\.org /.test(line));

  test('has fifty, the newest requests, and says how many more there are and how to see them', async () => {
    const lines = await shown({});
    expect(rows(lines)).toHaveLength(50);
    expect(lines.at(-1)).toBe(moreDomainsLine(50, COUNT + 1));
    expect(rows(await shown({ limit: '7' }))).toHaveLength(7);
    expect(rows(await shown({ all: true }))).toHaveLength(COUNT + 1);
  });

  test('says who must act', async () => {
    const lines = await shown({ mustAct: ['customer'] });
    for (const line of rows(lines)) expect(line).toMatch(/\(customer\)/);
    expect(lines).toContainEqual(expect.stringMatching(/^Domains: 1 requested, \d+ waiting-for-dns, /));
  });
});

test.each<[StatusFlags, string]>([
  [{ mustAct: ['nobody'] }, badChoice('--must-act', actors, 'nobody')],
  [{ state: ['gone'] }, badChoice('--state', stateNames, 'gone')],
  [{ app: '0' }, BAD_IDS],
  [{ limit: '0' }, badLimit(100_000)],
  [{ limit: '5', all: true }, ALL_OR_LIMIT],
])('%j is refused', (flags, sentence) => {
  expect(judgeFlags(undefined, flags)).toBe(sentence);
});

test.each<[StatusFlags, string]>([
  [{ mustAct: ['customer'] }, listOnly('--must-act')],
  [{ search: 'x' }, listOnly('--search')],
  [{ all: true }, listOnly('--all')],
])('%j with a domain is refused', (flags, sentence) => {
  expect(judgeFlags('shop.example.org', flags)).toBe(sentence);
});

test.each(['mustAct=nobody', 'appId=x', 'serverId=0'])('GET /v1/domains?%s is refused', async (query) => {
  const { body } = await server.fetch('GET', `/v1/domains?${query}`);
  expect(body).toMatchObject({ status: 400, code: 'invalid-payload', field: query.split('=')[0] });
});
