// The contract: one story for both API versions, told again for every answer to every question that RunCloud's
// documents leave open. The simulator shares no code with the client.
import { describe, expect, test } from '@jest/globals';
import type { Variants } from '../../packages/simulator/src/index.ts';
import {
  AccountRefusedError,
  ForbiddenError,
  NotFoundError,
  RejectedError,
  TooManyRequestsError,
} from '../../src/runcloud/errors.ts';
import type { AttachedDomain, NewDomain } from '../../src/runcloud/runcloud.ts';
import {
  advancedApp,
  app,
  type Bench,
  bareApp,
  cases,
  createBench,
  createCases,
  IDN,
  MIXED_CASE,
  outcomeOf,
  versions,
} from './runcloud-bench.ts';

const desired: NewDomain = { name: 'new.example.org', www: true, redirection: 'non-www' };

const nameOf = ({ name }: AttachedDomain): string => name;
const namesIn = ({ simulator }: Bench, appId = app.appId): string[] =>
  simulator.state.domains(appId).map(({ name }) => name.toLowerCase());

/** Attaches the 45th domain, finds it in the list of 45, and attaches it again. */
async function attachStory(bench: Bench, variants: Variants): Promise<AttachedDomain[]> {
  const { runcloud } = bench;
  const attached = await runcloud.attachDomain(app, desired);
  expect(attached?.name).toBe(variants.attachReply === 'empty' ? undefined : desired.name);

  const list = await runcloud.listDomains(app);
  expect(list).toHaveLength(45);
  expect(list.map(nameOf).toSorted()).toEqual(namesIn(bench).toSorted());
  expect(list.map(nameOf)).toEqual(expect.arrayContaining([MIXED_CASE.toLowerCase(), IDN]));
  const found = list.find(({ name }) => name === desired.name);
  expect(found).toEqual(attached ?? expect.objectContaining({ id: expect.any(Number) }));
  const full = { type: 'alias', www: true, redirection: 'non-www' };
  expect(found).toMatchObject(variants.domainFields === 'full' ? full : {});

  const again = await outcomeOf(runcloud.attachDomain(app, desired));
  if (variants.duplicateReply === '200-existing') expect(again).toEqual(attached);
  else expect(again).toBeInstanceOf(RejectedError);
  expect(namesIn(bench)).toHaveLength(45);
  return list;
}

/** Takes www off the domain and puts it on again; the list tells what the reply does not. */
async function changeStory(bench: Bench, variants: Variants, version: string): Promise<void> {
  const { runcloud } = bench;
  await runcloud.attachDomain(app, desired);
  for (const www of [false, true]) {
    const [domain] = (await runcloud.listDomains(app)).filter(({ name }) => name === desired.name);
    if (domain === undefined) throw new Error('it should be in the list');
    const outcome = await outcomeOf(runcloud.changeDomain(app, domain, { www, redirection: 'none' }));
    if (version === 'v2' && variants.changeOnV2 === '404') expect(outcome).toBeInstanceOf(NotFoundError);
    else await expectChanged(bench, variants, www, outcome);
  }
}

async function expectChanged(
  { runcloud, simulator }: Bench,
  { changeReply, domainFields }: Variants,
  www: boolean,
  outcome: unknown,
): Promise<void> {
  const tells = domainFields !== 'minimal';
  expect(outcome).toBe(changeReply === 'message' || (changeReply === 'domain' && tells));
  expect(simulator.state.domains(app.appId).at(-1)).toMatchObject({ name: desired.name, www });
  const listed = (await runcloud.listDomains(app)).find(({ name }) => name === desired.name);
  expect(listed?.www).toBe(tells ? www : undefined);
}

/** Attach the 45th, then remove the one that the list has in the 45th place (or before, where that is the primary). */
async function domainsStory(bench: Bench, variants: Variants): Promise<void> {
  const { runcloud, simulator } = bench;
  const list = await attachStory(bench, variants);
  const last = list.findLast(({ id }) => id !== simulator.state.domains()[0]?.id);
  if (last === undefined) throw new Error('the list is empty');
  expect(await runcloud.detachDomain(app, last)).toBe(variants.deleteReply === 'domain');
  expect(namesIn(bench)).not.toContain(last.name);
  expect((await runcloud.listDomains(app)).map(nameOf)).not.toContain(last.name);

  const gone = await outcomeOf(runcloud.detachDomain(app, last));
  if (variants.deleteUnknown === '200-empty') expect(gone).toBe(false);
  else expect(gone).toBeInstanceOf(variants.deleteUnknown === '404' ? NotFoundError : RejectedError);
}

/** The certificate of a web application in basic mode: find it, redeploy it; and see that there is none elsewhere. */
async function basicSslStory({ runcloud, simulator }: Bench): Promise<void> {
  expect(await runcloud.getSslMode(app)).toEqual({ advanced: false, autoSsl: false });
  const certificate = await runcloud.getCertificate(app);
  expect(certificate).toMatchObject({
    id: simulator.state.certificates()[0]?.id,
    method: 'letsencrypt',
    validUntil: expect.any(String),
  });
  if (certificate === undefined) return;
  await runcloud.redeployCertificate(app, certificate);
  expect(simulator.state.certificateOrders).toBe(1);
  const after = await runcloud.getCertificate(app);
  expect(after?.id).toBe(simulator.state.certificates()[0]?.id);
  expect(await runcloud.getCertificate(bareApp)).toBeUndefined();
}

/** Advanced mode: the 45th domain's own certificate, and a new domain that has none. */
async function advancedSslStory({ runcloud, simulator }: Bench): Promise<void> {
  expect(await runcloud.getSslMode(advancedApp)).toEqual({ advanced: true, autoSsl: false });
  const list = await runcloud.listDomains(advancedApp);
  expect(list).toHaveLength(45);
  const domain = list[44];
  if (domain === undefined) return;
  const own = (): number | undefined =>
    simulator.state.certificates(advancedApp.appId).find(({ domainId }) => domainId === domain.id)?.id;
  const certificate = await runcloud.getDomainCertificate(advancedApp, domain);
  expect(certificate).toMatchObject({ id: own(), method: 'letsencrypt' });
  if (certificate === undefined) return;
  await runcloud.redeployDomainCertificate(advancedApp, domain, certificate);
  expect(simulator.state.certificateOrders).toBe(1);
  expect((await runcloud.getDomainCertificate(advancedApp, domain))?.id).toBe(own());

  await runcloud.attachDomain(advancedApp, desired);
  const bare = (await runcloud.listDomains(advancedApp)).find(({ name }) => name === desired.name);
  expect(bare && (await runcloud.getDomainCertificate(advancedApp, bare))).toBeUndefined();
}

async function readingsStory({ runcloud }: Bench): Promise<void> {
  await runcloud.ping();
  expect(await runcloud.getServer(1903)).toEqual({
    id: 1903,
    name: 'box-1',
    ipAddress: '203.0.113.7',
    online: true,
  });
  expect(await runcloud.getWebApplication(app)).toEqual({ id: 646, name: 'app-646' });
  expect(await outcomeOf(runcloud.getServer(999))).toBeInstanceOf(NotFoundError);
  expect(await outcomeOf(runcloud.listDomains({ ...app, appId: 999 }))).toBeInstanceOf(NotFoundError);
}

describe.each(versions)('%s', (version) => {
  const runCase = createCases(version);
  test.each(cases)('readings: %s', (_, one) => runCase(readingsStory, one));
  test.each(cases)('domains: %s', (_, one) => runCase(domainsStory, one));
  test.each(cases)('a change of www: %s', (_, one) =>
    runCase((bench, variants) => changeStory(bench, variants, version), one),
  );
  test.each(cases)('basic SSL: %s', (_, one) => runCase(basicSslStory, one));
  test.each(cases)('advanced SSL: %s', (_, one) => runCase(advancedSslStory, one));

  test('every list shape with every row order and every SSL row paging', async () => {
    await using bench = await createBench(version);
    for (const metaShape of ['pagination', 'lastPage', 'laravel', 'none'] as const) {
      for (const listOrder of ['oldest-first', 'newest-first'] as const) {
        bench.simulator.reset();
        bench.simulator.setVariants({ metaShape, listOrder, sslRowsPaged: 'paged', sslShape: 'nested' });
        await domainsStory(bench, bench.simulator.variants);
        await basicSslStory(bench);
      }
    }
  });

  test.each(['20', '15'] as const)(
    'pages of %s whatever is asked for, without meta',
    async (defaultPerPage) => {
      const variants = { metaShape: 'none', perPageRequested: 'ignored', defaultPerPage } as const;
      await using bench = await createBench(version, {
        variants: { ...variants, sslRowsPaged: 'paged', sslShape: 'nested', listOrder: 'newest-first' },
      });
      await domainsStory(bench, bench.simulator.variants);
      await basicSslStory(bench);
    },
  );

  test.each<[Variants['deletePrimary'], unknown]>([
    ['422', RejectedError],
    ['403', ForbiddenError],
    ['allowed', true],
  ])('removing the primary domain: %s', async (deletePrimary, expected) => {
    await using bench = await createBench(version, { variants: { deletePrimary } });
    const primary = (await bench.runcloud.listDomains(app))[0];
    const outcome = primary && (await outcomeOf(bench.runcloud.detachDomain(app, primary)));
    if (typeof expected === 'boolean') expect(outcome).toBe(expected);
    else expect(outcome).toBeInstanceOf(expected);
  });

  test.each<[Variants['domainSslInBasicMode'], unknown]>([
    ['422', undefined],
    ['404', undefined],
    ['403', ForbiddenError],
  ])('asking for a domain’s certificate in basic mode: %s', async (domainSslInBasicMode, expected) => {
    await using bench = await createBench(version, { variants: { domainSslInBasicMode } });
    const [domain] = await bench.runcloud.listDomains(app);
    const outcome = domain && (await outcomeOf(bench.runcloud.getDomainCertificate(app, domain)));
    if (expected === undefined) expect(outcome).toBeUndefined();
    else expect(outcome).toBeInstanceOf(expected);
  });

  test.each<[Variants['concurrentIssuance'], unknown]>([
    ['accepted', undefined],
    ['409', RejectedError],
    ['422', RejectedError],
  ])('a second redeploy while one is under way: %s', async (concurrentIssuance, expected) => {
    await using bench = await createBench(version, {
      issuanceLagMs: 60_000,
      variants: { concurrentIssuance },
    });
    const certificate = await bench.runcloud.getCertificate(app);
    if (certificate === undefined) throw new Error('there should be a certificate');
    await bench.runcloud.redeployCertificate(app, certificate);
    const second = await outcomeOf(bench.runcloud.redeployCertificate(app, certificate));
    if (expected === undefined) expect(second).toBeUndefined();
    else expect(second).toBeInstanceOf(expected);
  });

  test('basic SSL in advanced mode has no shared certificate to find, and says so', async () => {
    await using bench = await createBench(version, {
      variants: { sslShape: 'flat', noSsl: 'message-200' },
    });
    expect(await bench.runcloud.getCertificate(advancedApp)).toBeUndefined();
  });

  const waits: [Variants['retryAfter'], Variants['rateLimitBody'], boolean][] = [
    ['none', 'message', false],
    ['none', 'html', false],
    ['none', 'empty', false],
    ['seconds', 'message', true],
    ['date', 'message', true],
    ['text', 'message', false],
  ];
  test.each(waits)('429: Retry-After %s, body %s', async (retryAfter, rateLimitBody, says) => {
    const variants = { retryAfter, rateLimitBody };
    await using bench = await createBench(version, { rateLimit: 1, variants });
    await bench.runcloud.ping();
    const error = await outcomeOf(bench.runcloud.attachDomain(app, desired));
    if (!(error instanceof TooManyRequestsError)) throw new Error('there should be a 429');
    if (says) expect(error.retryAfterMs).toBeGreaterThan(0);
    else expect(error.retryAfterMs).toBeUndefined();
    expect(namesIn(bench)).not.toContain(desired.name);
  });

  test.each<[Variants['quotaReply'], unknown]>([
    ['429', TooManyRequestsError],
    ['403', AccountRefusedError],
    ['402', AccountRefusedError],
  ])('a spent quota: %s', async (quotaReply, expected) => {
    await using bench = await createBench(version, { quota: 1, variants: { quotaReply } });
    await bench.runcloud.ping();
    expect(await outcomeOf(bench.runcloud.ping())).toBeInstanceOf(expected);
  });
});
