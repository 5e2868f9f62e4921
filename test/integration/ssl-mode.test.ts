// Which kind of SSL a web application has, where the answers mislead: a page from something in front of RunCloud is no answer, and a
// basic write never goes to a web application whose domains have certificates of their own.
import { describe, expect, test } from '@jest/globals';
import type { FaultRule, Operation } from '../../packages/simulator/src/index.ts';
import { createHttpsStage, type HttpsStage } from '../helpers/https-stage.ts';
import { PRIMARY } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
const B = 'b.example.com';
const BASIC_WRITES: Operation[] = ['install-ssl', 'update-ssl', 'redeploy-ssl', 'delete-ssl'];

/** The primary and B have certificates of their own; a basic write would be accepted, and be in vain. */
const advanced = {
  webapp: { advancedSsl: true, covers: 'all', domains: [B] },
  simulator: { variants: { basicSslInAdvancedMode: '200-transient' } },
} as const;

const firewall = { kind: 'firewall', operation: 'get-advanced-ssl' } as const satisfies FaultRule;

async function add(stage: HttpsStage, domain: string): Promise<void> {
  stage.point(domain);
  await stage.producer.requests.enqueue('add-domain', { domain, www: false });
}

function expectOwnCertificate(stage: HttpsStage, domain: string): void {
  for (const operation of BASIC_WRITES) expect(stage.calls(operation)).toEqual([]);
  expect(stage.simulator.state.orders.map(({ names }) => names)).toEqual([[domain]]);
  expect(stage.simulator.state.coveredNames()).toEqual(expect.arrayContaining([PRIMARY, B, domain]));
}

describe('an advanced web application', () => {
  test.each([1, 2, 3])('gets no basic write where %i readings of the mode meet a firewall', async (times) => {
    await using stage = await createHttpsStage(advanced);
    stage.simulator.addFault({ ...firewall, times });
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.simulator.state.faults).toMatchObject([{ remaining: 0 }]);
    expectOwnCertificate(stage, SHOP);
  });

  test('goes on as it was known while every further reading of the mode meets a firewall', async () => {
    await using stage = await createHttpsStage(advanced);
    stage.simulator.addFault({ ...firewall, skip: 1, times: 'always' });
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expect(stage.simulator.state.faults).toMatchObject([{ hits: 1 }]);
    expectOwnCertificate(stage, SHOP);
  });

  test('that RunCloud calls basic is told by its certificates, and gets no basic write', async () => {
    await using stage = await createHttpsStage(advanced);
    const refused = {
      kind: 'status',
      status: 404,
      body: { message: 'Not Found.' },
      times: 'always',
    } as const;
    stage.simulator.addFault({ ...refused, operation: 'get-advanced-ssl' });
    stage.point(B);
    await add(stage, SHOP);
    await stage.stands(SHOP, 'live');
    expectOwnCertificate(stage, SHOP);
  });
});

test('a basic web application whose plan has no other is redeployed, whatever a firewall says once', async () => {
  await using stage = await createHttpsStage({ simulator: { variants: { advancedStatus: '403' } } });
  stage.simulator.addFault(firewall);
  await add(stage, SHOP);
  await stage.stands(SHOP, 'live');
  expect(stage.calls('redeploy-ssl')).toHaveLength(1);
});
