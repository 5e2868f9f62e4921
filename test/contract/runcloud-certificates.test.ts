// The contract of the writes that install and remove certificates: one story per mode, for both API versions, told
// again for every answer to every open question.
import { describe, expect, test } from '@jest/globals';
import type { Variants } from '../../packages/simulator/src/index.ts';
import { ForbiddenError, NotFoundError, RejectedError } from '../../src/runcloud/errors.ts';
import type { AttachedDomain, Certificate, InstallSettings } from '../../src/runcloud/runcloud.ts';
import {
  advancedApp,
  app,
  type Bench,
  bareApp,
  cases,
  createBench,
  createCases,
  outcomeOf,
  versions,
} from './runcloud-bench.ts';

const live: InstallSettings = { environment: 'live', challenge: 'http-01' };
const stagingByDns: InstallSettings = { environment: 'staging', challenge: 'dns-01', dnsIntegration: 5 };

/** The calls of one mode, and what the simulator really holds. */
interface Mode {
  readonly install: (settings: InstallSettings) => Promise<void>;
  readonly remove: (certificate: Certificate) => Promise<void>;
  readonly find: () => Promise<Certificate | undefined>;
  readonly held: () => ReturnType<Bench['simulator']['state']['certificates']>;
}

function basicMode({ runcloud, simulator }: Bench): Mode {
  return {
    install: (settings) => runcloud.installCertificate(bareApp, settings),
    remove: (certificate) => runcloud.removeCertificate(bareApp, certificate),
    find: () => runcloud.getCertificate(bareApp),
    held: () => simulator.state.certificates(bareApp.appId),
  };
}

function advancedMode({ runcloud, simulator }: Bench, domain: AttachedDomain): Mode {
  return {
    install: (settings) => runcloud.installDomainCertificate(advancedApp, domain, settings),
    remove: (certificate) => runcloud.removeDomainCertificate(advancedApp, domain, certificate),
    find: () => runcloud.getDomainCertificate(advancedApp, domain),
    held: () =>
      simulator.state.certificates(advancedApp.appId).filter(({ domainId }) => domainId === domain.id),
  };
}

/** What is found is what there is, and it is one. */
async function found({ find, held }: Mode): Promise<Certificate> {
  const certificate = await find();
  expect(held()).toEqual([expect.objectContaining({ id: certificate?.id, provider: 'letsencrypt' })]);
  if (certificate === undefined) throw new Error('a certificate should be found');
  return certificate;
}

/** Install where none is, install over it, remove it, remove it again, install another. */
async function installStory(mode: Mode, { installOverExisting }: Variants): Promise<void> {
  expect(await mode.find()).toBeUndefined();
  expect(await mode.install(live)).toBeUndefined();
  const first = await found(mode);
  const settings = { staging: false, authorizationMethod: 'http-01', enableHttp: true, enableHsts: false };
  expect(mode.held()).toMatchObject([settings]);

  const over = await outcomeOf(mode.install(live));
  const second = await found(mode);
  if (installOverExisting === '422') expect(over).toBeInstanceOf(RejectedError);
  else expect(over).toBeUndefined();
  expect(second.id === first.id).toBe(installOverExisting === '422');

  expect(await mode.remove(second)).toBeUndefined();
  expect(mode.held()).toEqual([]);
  expect(await mode.find()).toBeUndefined();
  expect(await outcomeOf(mode.remove(second))).toBeInstanceOf(NotFoundError);

  expect(await mode.install(stagingByDns)).toBeUndefined();
  expect((await found(mode)).id).not.toBe(second.id);
  expect(mode.held()).toMatchObject([{ staging: true, authorizationMethod: 'dns-01' }]);
}

async function basicStory(bench: Bench, variants: Variants): Promise<void> {
  await installStory(basicMode(bench), variants);
  const covered = bench.simulator.state.coveredNames(bareApp.appId);
  expect(covered).toEqual(bench.simulator.state.domains(bareApp.appId).map(({ name }) => name));
}

/** The 45th domain starts with a certificate, which is removed; the other 44 keep theirs. */
async function advancedStory(bench: Bench, variants: Variants): Promise<void> {
  const domain = (await bench.runcloud.listDomains(advancedApp))[44];
  if (domain === undefined) throw new Error('there should be 45 domains');
  const mode = advancedMode(bench, domain);
  const others = () =>
    bench.simulator.state.certificates(advancedApp.appId).filter(({ domainId }) => domainId !== domain.id);
  const before = others();
  await mode.remove(await found(mode));
  await installStory(mode, variants);
  expect(mode.held()).toMatchObject([{ names: [domain.name] }]);
  expect(others()).toEqual(before);
  expect(before).toHaveLength(44);
}

/** The list names the certificates that there are; those of advanced mode where the reply has rows, else none. */
async function listStory({ runcloud, simulator }: Bench): Promise<void> {
  const idsOf = (appId: number) => new Set(simulator.state.certificates(appId).map(({ id }) => id));
  const listed = async (which: typeof app) =>
    new Set((await runcloud.listCertificates(which)).map(({ certificate }) => certificate.id));
  expect(await listed(app)).toEqual(idsOf(app.appId));
  expect(await listed(bareApp)).toEqual(new Set());
  expect([new Set(), idsOf(advancedApp.appId)]).toContainEqual(await listed(advancedApp));
}

const toExpected = (call: Promise<unknown>, expected: unknown) =>
  expected === undefined
    ? expect(call).resolves.toBeUndefined()
    : expect(outcomeOf(call)).resolves.toBeInstanceOf(expected);

describe.each(versions)('%s', (version) => {
  const runCase = createCases(version);
  test.each(cases)('basic SSL: %s', (_, one) => runCase(basicStory, one));
  test.each(cases)('advanced SSL: %s', (_, one) => runCase(advancedStory, one));
  test.each(cases)('the list of certificates: %s', (_, one) => runCase(listStory, one));

  test('a switch of one domain’s certificate to http-01 persists, and its settings stay', async () => {
    const seed = { webapps: [{ id: 648, advancedSsl: true, authorizationMethod: 'dns-01' }] } as const;
    await using bench = await createBench(version, { seed });
    const { runcloud, simulator } = bench;
    const [domain] = await runcloud.listDomains(advancedApp);
    const certificate = domain && (await runcloud.getDomainCertificate(advancedApp, domain));
    if (!certificate) throw new Error('there should be a certificate');
    expect(certificate).toMatchObject({ authorizationMethod: 'dns-01', apiId: 5, sslProtocolId: 2 });
    await runcloud.switchDomainToHttp01(advancedApp, domain, certificate);
    expect(await runcloud.getDomainCertificate(advancedApp, domain)).toEqual({
      ...certificate,
      authorizationMethod: 'http-01',
    });
    expect(simulator.state.certificateOrders).toBe(0);
  });

  // What a write answers, and with which status, is open twice: each pair of answers.
  test.each(['ssl', 'empty', 'message', '204'] as const)('201 with the reply %s', async (reply) => {
    const variants = { createStatus: '201', sslWriteReply: reply, domainSslReply: reply } as const;
    for (const installOverExisting of ['422', 'replaces'] as const) {
      const options = { variants: { ...variants, installOverExisting } };
      await using bench = await createBench(version, options);
      await basicStory(bench, bench.simulator.variants);
      await advancedStory(bench, bench.simulator.variants);
    }
  });

  test.each<[Variants['concurrentIssuance'], unknown]>([
    ['accepted', undefined],
    ['409', RejectedError],
    ['422', RejectedError],
  ])('an install while another is under way: %s', async (concurrentIssuance, expected) => {
    const variants = { concurrentIssuance, installOverExisting: 'replaces' } as const;
    await using bench = await createBench(version, { issuanceLagMs: 60_000, variants });
    const { install } = basicMode(bench);
    await install(live);
    await toExpected(install(live), expected);
  });

  test.each<[Variants['basicSslInAdvancedMode'], unknown]>([
    ['422', RejectedError],
    ['404', NotFoundError],
    ['200-transient', undefined],
  ])('basic writes in advanced mode: %s', async (basicSslInAdvancedMode, expected) => {
    await using bench = await createBench(version, { variants: { basicSslInAdvancedMode } });
    const { runcloud, simulator } = bench;
    const before = simulator.state.certificates(advancedApp.appId);
    const certificate = { id: before[0]?.id ?? 0, method: undefined, validUntil: undefined };
    await toExpected(runcloud.installCertificate(advancedApp, live), expected);
    await toExpected(runcloud.removeCertificate(advancedApp, certificate), expected);
    expect(simulator.state.certificates(advancedApp.appId)).toEqual(before);
  });

  test.each<[Variants['domainSslInBasicMode'], unknown]>([
    ['422', RejectedError],
    ['403', ForbiddenError],
    ['404', NotFoundError],
  ])('a domain’s writes in basic mode: %s', async (domainSslInBasicMode, expected) => {
    await using bench = await createBench(version, { variants: { domainSslInBasicMode } });
    const { runcloud, simulator } = bench;
    const [domain] = await runcloud.listDomains(app);
    const certificate = await runcloud.getCertificate(app);
    if (domain === undefined || certificate === undefined) throw new Error('there should be both');
    await toExpected(runcloud.installDomainCertificate(app, domain, live), expected);
    await toExpected(runcloud.removeDomainCertificate(app, domain, certificate), expected);
    expect(simulator.state.certificates()).toMatchObject([{ id: certificate.id }]);
  });

  test('dns-01 without an integration is refused, and the refusal names the field', async () => {
    await using bench = await createBench(version);
    const { install, held } = basicMode(bench);
    const error = await outcomeOf(install({ environment: 'live', challenge: 'dns-01' }));
    expect(error).toBeInstanceOf(RejectedError);
    expect(error).toMatchObject({ fieldErrors: { externalApi: [expect.any(String)] } });
    expect(held()).toEqual([]);
  });
});
