// Who is detached where orders of a shared certificate fail although all DNS looks right: whom it names, and when nobody has to.
import { describe, expect, test } from '@jest/globals';
import type { FailingName, FailureSign } from '../../src/certificates/failing-names.ts';
import type { LastOrder } from '../../src/certificates/ledger.ts';
import type { Sidelined } from '../../src/certificates/notes.ts';
import { BACKOFF } from '../../src/domains/backoff.ts';
import { type SidelinePorts, sidelineNewest } from '../../src/https/sidelined.ts';
import type { AttachedDomain } from '../../src/runcloud/runcloud.ts';
import { recordOf } from '../helpers/record.ts';

const app = { serverId: 1903, appId: 646 };
const NOW = 1_800_000_000_000;
const PRIMARY = 'network.example.org';
const [OLD, NEW, NEWEST] = ['old.example.org', 'new.example.org', 'newest.example.org'] as const;
const ATTACHED = [PRIMARY, OLD, NEW, NEWEST];

interface Scene {
  readonly failingNames?: Readonly<Record<string, FailureSign>>;
  /** Those of them that RunCloud's log names. */
  readonly logged?: readonly string[];
  readonly last?: Partial<LastOrder>;
  readonly attached?: readonly string[];
  readonly ours?: readonly string[];
  readonly invalidNames?: SidelinePorts['invalidNames'];
  readonly sidelined?: Readonly<Record<string, Sidelined>>;
}

async function play({
  failingNames = { [NEW]: 'new', [NEWEST]: 'new' },
  logged = [],
  last = {},
  attached = ATTACHED,
  ours = [OLD, NEW, NEWEST],
  invalidNames = 'detach',
  sidelined = {},
}: Scene) {
  const domains = attached.map(
    (name): AttachedDomain => ({
      id: ATTACHED.indexOf(name),
      name,
      type: name === PRIMARY ? 'primary' : 'alias',
      www: false,
      redirection: 'none',
    }),
  );
  const order: LastOrder = {
    names: ATTACHED,
    orderedAt: NOW - 60_000,
    failures: 2,
    hasFailed: true,
    failingNames: Object.entries(failingNames).map(
      ([name, why]): FailingName => ({
        ...{ name, why, sentence: `${name} is ${why}` },
        ...(logged.includes(name) && { isLogged: true }),
      }),
    ),
    issued: [PRIMARY, OLD],
    isLost: false,
    replaces: undefined,
    ...last,
  };
  const named: string[] = [];
  const renewed: string[] = [];
  const outcome = await sidelineNewest(
    domains,
    order,
    { app, startedAt: NOW },
    {
      invalidNames,
      backoff: BACKOFF,
      store: {
        get: async ({ domain }) =>
          ours.includes(domain)
            ? recordOf({
                domain,
                desired: { presence: 'present', www: false, redirection: 'none' },
                attachedId: ATTACHED.indexOf(domain),
              })
            : undefined,
      },
      certificates: {
        get: async () =>
          ({ sidelined }) as unknown as Awaited<ReturnType<SidelinePorts['certificates']['get']>>,
        sideline: async (_, domain, at, { firstMs }) => {
          named.push(domain);
          return { until: at + firstMs, count: 1 };
        },
      },
      renew: async ({ domain }) => void renewed.push(domain),
    },
  );
  return { outcome, named, renewed };
}

describe('after the second failure', () => {
  test('the newest of those that had no certificate is detached, for an hour; its job has to run', async () => {
    const { outcome, named, renewed } = await play({});
    expect([named, renewed]).toEqual([[NEWEST], [NEWEST]]);
    expect(outcome).toMatchObject({
      kind: 'waiting',
      sentence: expect.stringMatching(/new\.example\.org, newest\.example\.org/),
      forDomains: expect.not.stringMatching(/example\.org/),
      report: { state: 'held', reasonCode: 'newest-sidelined', mustAct: 'operator' },
    });
  });

  test('a name that could not be judged goes before one that is only new', async () => {
    const { named } = await play({ failingNames: { [NEW]: 'unjudged', [NEWEST]: 'new' } });
    expect(named).toEqual([NEW]);
  });

  test('whom RunCloud’s log names goes before all others, and before one that could not be judged', async () => {
    const { named } = await play({
      failingNames: { [NEW]: 'logged', [NEWEST]: 'unjudged', [OLD]: 'flaps' },
      logged: [NEW],
    });
    expect(named).toEqual([NEW]);
  });

  test('while it still leaves, nobody else does', async () => {
    const { outcome, named } = await play({ sidelined: { [NEWEST]: { until: NOW + 1, count: 1 } } });
    expect([outcome?.kind, named]).toEqual(['waiting', []]);
  });
});

describe('nobody is detached', () => {
  test.each<[string, Scene]>([
    ['after the first failure', { last: { failures: 1 } }],
    ['before it is known how the last order went', { last: { hasFailed: false } }],
    ['with SSL_INVALID_NAMES=wait', { invalidNames: 'wait' }],
    ['with SSL_INVALID_NAMES=ignore', { invalidNames: 'ignore' }],
    ['where one has left already: what remains is tried first', { attached: [PRIMARY, OLD, NEW] }],
    ['where no name is failing', { failingNames: {} }],
    ['whose certificate works, nor for it', { failingNames: { [OLD]: 'unjudged', [NEW]: 'new' } }],
    [
      'where nobody knows who had a certificate',
      { failingNames: { [OLD]: 'flaps' }, last: { issued: undefined } },
    ],
    [
      'while RunCloud’s log names one whose certificate works',
      { failingNames: { [OLD]: 'logged', [NEW]: 'new', [NEWEST]: 'unjudged' }, logged: [OLD] },
    ],
    ['who was attached by somebody else', { ours: [OLD] }],
    [
      'while one of those that could not be judged may not',
      { failingNames: { [NEW]: 'unjudged', [NEWEST]: 'unjudged' }, ours: [NEW] },
    ],
  ])('%s', async (_, scene) => {
    expect(await play(scene)).toEqual({ outcome: undefined, named: [], renewed: [] });
  });
});
