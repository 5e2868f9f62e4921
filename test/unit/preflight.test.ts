// The preflight of a shared certificate: what it waits for, which names block, and whose job it has run.
import { describe, expect, test } from '@jest/globals';
import type { BlockingName } from '../../src/certificates/certificates.ts';
import { BACKOFF } from '../../src/domains/backoff.ts';
import type { Www } from '../../src/domains/domain.ts';
import { checkBeforeOrder, type PreflightPorts } from '../../src/jobs/redeploy/preflight.ts';
import type { DnsVerdict } from '../../src/probes/findings.ts';
import type { AttachedDomain } from '../../src/runcloud/runcloud.ts';
import { recordOf } from '../helpers/record.ts';

const app = { serverId: 1903, appId: 646 };
const NOW = 1_800_000_000_000;
const PRIMARY = 'network.example.org';
const [SHOP, NEW, OLD] = ['shop.example.org', 'new.example.org', 'old.example.org'] as const;

interface Scene {
  readonly verdicts?: Readonly<Record<string, DnsVerdict>>;
  readonly invalidNames?: PreflightPorts['invalidNames'];
  /** Domains that we attached; by default all but the primary. */
  readonly ours?: readonly string[];
  readonly before?: Readonly<Record<string, BlockingName>>;
  /** SHOP and NEW have their www names: so they are wanted. */
  readonly www?: Www;
  readonly changesWww?: boolean;
}

async function play({
  verdicts = {},
  invalidNames = 'detach',
  ours = [SHOP, NEW, OLD],
  before = {},
  www = false,
  changesWww = true,
}: Scene) {
  const attached = [PRIMARY, SHOP, NEW, OLD].map(
    (name, id): AttachedDomain => ({
      id,
      name,
      type: name === PRIMARY ? 'primary' : 'alias',
      www: www !== false && (name === SHOP || name === NEW),
      redirection: 'none',
    }),
  );
  const renewed: string[] = [];
  const unsteady: string[] = [];
  let blockedBy: readonly string[] | undefined;
  const { wait: outcome, dns } = await checkBeforeOrder(
    attached,
    { app, calls: {}, startedAt: NOW, waitedMs: 0 },
    {
      invalidNames,
      backoff: BACKOFF,
      changesWww,
      probe: {
        dns: async (_, names) =>
          names.map((name) => ({
            name,
            verdict: verdicts[name] ?? 'here',
            sentence: `${name} is ${verdicts[name]}`,
            expected: [],
            observed: { a: [], aaaa: [], cname: [], caa: [] },
          })),
      },
      store: {
        get: async ({ domain }) =>
          ours.includes(domain)
            ? recordOf({
                domain,
                desired: { presence: 'present', www, redirection: 'none' },
                setWww: attached.find(({ name }) => name === domain)?.www,
                attachedId: attached.find(({ name }) => name === domain)?.id,
              })
            : undefined,
      },
      certificates: {
        noteUnsteady: async (_, names) => void unsteady.push(...names),
        noteBlockedBy: async (_, domains) => {
          blockedBy = domains;
          return Object.fromEntries(
            domains.map((domain) => [domain, before[domain] ?? { since: NOW, at: NOW }]),
          );
        },
      },
      renew: async ({ domain }) => void renewed.push(domain),
    },
  );
  return { outcome, blockedBy, renewed, unsteady, checked: dns.length };
}

const LONG_AGO: BlockingName = { since: NOW - BACKOFF.dnsFirstMs, at: NOW };
const held = (mustAct: string, names: RegExp) => ({
  kind: 'waiting',
  sentence: expect.stringMatching(names),
  // What the domains that share it get names nobody.
  forDomains: expect.not.stringMatching(/[a-z]\.[a-z]{2}/),
  report: { state: 'held', reasonCode: 'shared-certificate-blocked', mustAct },
});

describe('nothing is waited for', () => {
  test('where all names are right, proxied, or could not be queried; and nobody is in the way any more', async () => {
    const verdicts = { [SHOP]: 'proxied', [NEW]: 'unknown' } as const;
    expect(await play({ verdicts })).toEqual({
      outcome: undefined,
      blockedBy: [],
      renewed: [],
      // Remembered, in case the order fails.
      unsteady: [NEW],
      checked: 4,
    });
    expect((await play({ verdicts, invalidNames: 'wait' })).outcome).toBeUndefined();
  });

  test('with SSL_INVALID_NAMES=ignore, whatever DNS says', async () => {
    expect((await play({ verdicts: { [SHOP]: 'missing' }, invalidNames: 'ignore' })).outcome).toBeUndefined();
  });
});

describe('the certificate is held, and the name is told', () => {
  test('to the operator each of many, the first three with what to do', async () => {
    const verdicts = { [PRIMARY]: 'missing', [SHOP]: 'missing', [NEW]: 'missing', [OLD]: 'missing' } as const;
    const { outcome } = await play({ verdicts, invalidNames: 'wait' });
    expect(outcome).toMatchObject({
      sentence: expect.stringMatching(
        /network\.example\.org is missing.*new\.example\.org is missing.* of old\.example\.org is wrong, too\.$/,
      ),
    });
  });

  test.each(['missing', 'elsewhere', 'leftover', 'forbidden', 'cdn', 'unchecked'] as const)(
    'with SSL_INVALID_NAMES=wait and a name that is %s',
    async (verdict) => {
      const { outcome, blockedBy } = await play({ verdicts: { [SHOP]: verdict }, invalidNames: 'wait' });
      expect(outcome).toMatchObject(held('customer', / 4 domains .*shop\.example\.org is/));
      expect(blockedBy).toEqual([]);
    },
  );

  test('with SSL_INVALID_NAMES=detach at the first bad check: it is noted, and nothing is asked of its job', async () => {
    const { outcome, blockedBy, renewed } = await play({ verdicts: { [SHOP]: 'elsewhere' } });
    expect(outcome).toMatchObject(held('customer', /shop\.example\.org/));
    expect([blockedBy, renewed]).toEqual([[SHOP], []]);
  });

  test.each(['unchecked', 'cdn'] as const)(
    'with SSL_INVALID_NAMES=detach and a name that is %s: it may reach us by the CDN, so nobody is in the way',
    async (verdict) => {
      const { outcome, blockedBy, renewed } = await play({
        verdicts: { [SHOP]: verdict, [NEW]: 'missing' },
        before: { [SHOP]: LONG_AGO, [NEW]: LONG_AGO },
      });
      expect(outcome).toMatchObject(held('customer', /shop\.example\.org/));
      expect([blockedBy, renewed]).toEqual([[], []]);
    },
  );

  test('with SSL_INVALID_NAMES=detach where one of the dead is not ours: nobody leaves in vain', async () => {
    const scene = {
      verdicts: { [SHOP]: 'missing', [OLD]: 'missing' },
      before: { [SHOP]: LONG_AGO },
    } as const;
    const { outcome, blockedBy, renewed } = await play({ ...scene, ours: [SHOP] });
    expect(outcome).toMatchObject(held('customer', /old\.example\.org/));
    expect([blockedBy, renewed]).toEqual([[], []]);
  });

  test('with SSL_INVALID_NAMES=detach where more than half look wrong: the operator must look at our own DNS', async () => {
    const verdicts = { [SHOP]: 'missing', [NEW]: 'missing', [OLD]: 'missing' } as const;
    const { outcome, blockedBy, renewed } = await play({ verdicts, before: { [SHOP]: LONG_AGO } });
    expect(outcome).toMatchObject(held('operator', /3 domains.*DNS_SERVERS/));
    expect([blockedBy, renewed]).toEqual([[], []]);
  });
});

test('a domain of ours that is dead at a later check as well has its job run, which takes it off', async () => {
  const verdicts = { [SHOP]: 'missing', [NEW]: 'elsewhere' } as const;
  const { outcome, blockedBy, renewed } = await play({ verdicts, before: { [SHOP]: LONG_AGO } });
  expect(outcome).toMatchObject(held('customer', /shop\.example\.org.*new\.example\.org/));
  expect([blockedBy, renewed]).toEqual([[SHOP, NEW], [SHOP]]);
});

describe('a www name that is all that is wrong of its domain', () => {
  const scene = {
    verdicts: { [`www.${SHOP}`]: 'missing' },
    before: { [SHOP]: LONG_AGO },
    invalidNames: 'wait',
    www: 'auto',
  } as const;

  test('is taken off by its job even with SSL_INVALID_NAMES=wait, where it came along by our own rule', async () => {
    const { outcome, blockedBy, renewed } = await play(scene);
    expect(outcome).toMatchObject(held('customer', /www\.shop\.example\.org/));
    expect([blockedBy, renewed]).toEqual([[SHOP], [SHOP]]);
  });

  test.each<[string, Partial<Scene>]>([
    ['that somebody requested', { www: true }],
    ['where the API has no way for it', { changesWww: false }],
    ['of a domain that we did not attach', { ours: [NEW] }],
    [
      'while another domain holds the others up as well',
      { verdicts: { ...scene.verdicts, [OLD]: 'missing' } },
    ],
    ['of a domain whose own DNS is wrong too', { verdicts: { ...scene.verdicts, [SHOP]: 'missing' } }],
  ])('stays %s', async (_, differs) => {
    const { blockedBy, renewed } = await play({ ...scene, ...differs });
    expect([blockedBy, renewed]).toEqual([[], []]);
  });
});
