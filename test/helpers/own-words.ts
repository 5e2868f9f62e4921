// Twenty customers on two web applications, with random faults: a record speaks of its own domain only.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { FaultRule } from '../../packages/simulator/src/index.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { createHttpsStage, ELSEWHERE, HERE, type HttpsStage } from './https-stage.ts';
import { type Telling, toldOfDomain } from './told.ts';
import { until } from './until.ts';
import { createReceiver, type Receiver, SECRET } from './webhook-receiver.ts';
import { APP } from './worker.ts';

const OTHER_APP = 701;
const COUNT = 20;
const HOST = (i: number): string => `customer-${String(i).padStart(2, '0')}.example`;
const HOSTS = Array.from({ length: COUNT }, (_, i) => HOST(i));
const appOf = (i: number): number => (i % 2 === 0 ? APP.appId : OTHER_APP);

export const callbacks = ({ url }: Receiver) => ({ CALLBACK_URLS: url, CALLBACK_SECRETS: SECRET });

/** RunCloud's words may name anybody. */
const GOSSIP = { message: `Could not validate ${HOSTS.join(', ')} (http://${HOST(3)}/.well-known/)` };

const dns = fc.constantFrom('here', 'here', 'here', 'elsewhere', 'none', 'caa', 'servfail');
const trouble = fc.constantFrom<(FaultRule & { kind: string }) | undefined>(
  undefined,
  undefined,
  { kind: 'slow', delayMs: 300 },
  { kind: 'status', status: 403, body: GOSSIP, times: 2 },
  { kind: 'status', status: 422, body: GOSSIP, times: 1 },
  { kind: 'status', status: 422, body: GOSSIP, times: 'always' },
  { kind: 'status', status: 404, body: GOSSIP, times: 1 },
  { kind: 'status', status: 500, body: GOSSIP, times: 2 },
  { kind: 'html', status: 403, times: 2 },
  { kind: 'drop-after', times: 1 },
  { kind: 'drop-before', times: 1 },
);
/** A lost reply before the refusal makes us wait, and say why. */
const attach = fc.constantFrom<readonly FaultRule[]>(
  [],
  [
    { kind: 'status', status: 504, times: 1 },
    { kind: 'status', status: 422, body: GOSSIP, times: 'always' },
  ],
);
const customer = fc.record({
  dns,
  attach: fc.oneof(
    trouble.map((fault) => (fault ? [fault] : [])),
    attach,
  ),
  /** Its www name is wanted at first, and is wanted when it is asked for again. */
  www: fc.constantFrom([false, false], [false, true], [true, false]),
  change: trouble,
  order: trouble,
  leaves: fc.boolean(),
  asksAgain: fc.boolean(),
});
const world = fc.record({
  customers: fc.array(customer, { minLength: COUNT, maxLength: COUNT }),
  /** All orders together: some have to wait for Let's Encrypt. */
  orders: fc.integer({ min: 3, max: 20 }),
  redeploysAll: fc.boolean(),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function setUp(stage: HttpsStage, { customers }: World): void {
  const zones = {
    here: { a: HERE },
    elsewhere: { a: ELSEWHERE },
    none: {},
    caa: { a: HERE, caa: { tag: 'issue', value: 'digicert.com' } },
    servfail: { fails: 'servfail' },
  } as const;
  for (const [i, { dns, attach, change, order }] of customers.entries()) {
    stage.edge.setDns(HOST(i), zones[dns as keyof typeof zones]);
    stage.edge.setDns(`www.${HOST(i)}`, { a: HERE });
    const domain = HOST(i);
    for (const fault of attach) stage.simulator.addFault({ ...fault, operation: 'attach-domain', domain });
    if (change) stage.simulator.addFault({ ...change, operation: 'update-domain', domain });
    for (const operation of ['install-domain-ssl', 'redeploy-domain-ssl'] as const)
      if (order) stage.simulator.addFault({ ...order, operation, domain });
  }
}

/** The two web applications' orders are refused with everybody's names, now and then (basic SSL: the order is nobody's own). */
function spoilShared({ simulator }: HttpsStage, { customers }: World): void {
  for (const { order } of customers)
    if (order) simulator.addFault({ ...order, times: 1, operation: 'redeploy-ssl' });
}

const detailsOf = (stage: HttpsStage, i: number) =>
  stage.producer.operator.domain(parseDomainName(HOST(i)), { serverId: APP.serverId, appId: appOf(i) });

async function leaks(stage: HttpsStage, receiver: Receiver): Promise<string[]> {
  const found: string[] = [];
  for (const i of HOSTS.keys()) {
    const details = await detailsOf(stage, i);
    const told: Telling[] = details ? await toldOfDomain(stage, details, receiver) : [];
    const others = HOSTS.filter((other) => other !== HOST(i));
    const leaky = told.filter(([, text]) => others.some((other) => text.includes(other)));
    found.push(...leaky.map(([surface, text]) => `${surface} of ${HOST(i)}: ${text}`));
  }
  return found;
}

/** Everybody has been looked at, and each web application has redeployed, or tried. */
async function untilTold(stage: HttpsStage): Promise<void> {
  const { certificates } = stage.producer.requests;
  await until(async () => {
    for (const i of HOSTS.keys()) {
      const record = (await detailsOf(stage, i))?.record;
      if (!record?.outcome && record?.desired.presence !== 'absent') return false;
    }
    const apps = [APP.appId, OTHER_APP].map((appId) => certificates.get({ serverId: APP.serverId, appId }));
    return (await Promise.all(apps)).every((record) => record === undefined || record.outcome !== undefined);
  }, 'everybody was told something');
}

async function play(stage: HttpsStage, chosen: World, receiver: Receiver): Promise<void> {
  const { requests } = stage.producer;
  const ask = (name: 'add-domain' | 'remove-domain', i: number, time = 0) =>
    requests.enqueue(name, {
      domain: HOST(i),
      appId: appOf(i),
      ...(name === 'add-domain' && { www: chosen.customers[i]?.www[time] ?? false }),
    });
  setUp(stage, chosen);
  for (const i of HOSTS.keys()) await ask('add-domain', i);
  await untilTold(stage);
  expect(await leaks(stage, receiver)).toEqual([]);
  for (const [i, { leaves, asksAgain }] of chosen.customers.entries())
    if (leaves || asksAgain) await ask(leaves ? 'remove-domain' : 'add-domain', i, 1);
  if (chosen.redeploysAll) await requests.enqueue('redeploy-ssl', {});
  await untilTold(stage);
  expect(await leaks(stage, receiver)).toEqual([]);
}

/** One test per SSL mode, with so many random worlds each. */
export function testRandomCustomers(numRuns: number): void {
  test.each(['advanced', 'basic'] as const)(
    'two web applications with %s SSL, 20 customers, random faults: nobody is told of another one',
    async (ssl) => {
      const advancedSsl = ssl === 'advanced';
      const webapps = [APP.appId, OTHER_APP].map((id) => ({ id, advancedSsl, covers: 'all' as const }));
      await fc.assert(
        fc.asyncProperty(world, async (chosen) => {
          await using receiver = await createReceiver();
          await using stage = await createHttpsStage({
            env: {
              ...callbacks(receiver),
              LE_ORDERS_PER_3H: String(chosen.orders),
              SSL_INVALID_NAMES: 'wait',
            },
            simulator: {
              seed: {
                servers: [{ ipAddress: HERE }],
                webapps,
                dns: { 'network.example.org': { a: HERE }, 'primary-701.example.org': { a: HERE } },
              },
            },
          });
          if (!advancedSsl) spoilShared(stage, chosen);
          await play(stage, chosen, receiver);
        }),
        { numRuns, endOnFailure: true },
      );
    },
    1_200_000,
  );
}
