// An order of a certificate whose answer nobody got: the redeploy looks at the proof's pace what became of it, by handshakes and by
// what RunCloud shows; it orders again only when the ledger lets it.
import { describe, expect, test } from '@jest/globals';
import type { CertificateRecord } from '../../src/certificates/certificates.ts';
import type { ReasonCode } from '../../src/domains/reasons.ts';
import { createHttpsStage, type HttpsStage, type HttpsStageOptions } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { APP } from '../helpers/worker.ts';

const SHOP = 'shop.example.com';
const HOUR_MS = 3_600_000;

const orders = ({ simulator }: HttpsStage) => simulator.state.orders;
const certificate = ({ producer }: HttpsStage) => producer.requests.certificates.get(APP);

/** Resolves with the redeploy's record once it says so. */
const says = (stage: HttpsStage, reasonCode: ReasonCode): Promise<CertificateRecord> =>
  until(async () => {
    const record = await certificate(stage);
    return record?.reasonCode === reasonCode ? record : undefined;
  }, `the redeploy says ${reasonCode}`);

/** The domain's own record says it, too. */
const untilRecord = (stage: HttpsStage, reasonCode: ReasonCode) =>
  until(async () => (await stage.record(SHOP)).reasonCode === reasonCode, `the domain says ${reasonCode}`);

/** The two kinds of SSL, and who asks: a domain that is new, or a person for what is installed. */
const kinds = [
  { ssl: 'basic', asks: 'a new domain', operation: 'redeploy-ssl', webapp: {} },
  {
    ssl: 'advanced',
    asks: 'a new domain',
    operation: 'install-domain-ssl',
    webapp: { advancedSsl: true, covers: 'all' },
  },
  {
    ssl: 'basic',
    asks: 'a person',
    operation: 'redeploy-ssl',
    webapp: { domains: [SHOP], covers: 'all' },
  },
  {
    ssl: 'advanced',
    asks: 'a person',
    operation: 'redeploy-domain-ssl',
    webapp: { advancedSsl: true, domains: [SHOP], covers: 'all' },
  },
] as const;

type Kind = (typeof kinds)[number];

const rows = kinds.flatMap((kind) => (['on', 'off'] as const).map((tlsProbe) => ({ ...kind, tlsProbe })));

/** Nothing is issued before the test says so; and RunCloud shows no first certificate before it is issued. */
const createLostStage = ({ webapp }: Kind, options: HttpsStageOptions = {}): Promise<HttpsStage> =>
  createHttpsStage({
    ...options,
    webapp: structuredClone(webapp) as NonNullable<HttpsStageOptions['webapp']>,
    backoff: { issuanceMs: HOUR_MS },
    env: { CERTIFICATE_DEADLINE: '30m', ...(options.env as Record<string, string>) },
    simulator: { issuanceLagMs: HOUR_MS, variants: { firstIssuance: 'hidden' }, ...options.simulator },
  });

async function ask(stage: HttpsStage, { asks }: Kind): Promise<void> {
  stage.point(SHOP);
  const [name, payload] =
    asks === 'a person'
      ? (['redeploy-ssl', { domain: SHOP }] as const)
      : (['add-domain', { domain: SHOP, www: false }] as const);
  await stage.producer.requests.enqueue(name, payload);
}

describe('an order whose answer was lost', () => {
  test.concurrent.each(rows)(
    '($ssl SSL, asked by $asks, TLS_PROBE=$tlsProbe) ends with its certificate, not with SSL_COOLDOWN',
    async (row) => {
      await using stage = await createLostStage(row, { env: { TLS_PROBE: row.tlsProbe } });
      stage.simulator.addFault({ kind: 'drop-after', operation: row.operation, times: 1 });
      await ask(stage, row);
      const waits = await says(stage, 'order-answer-lost');
      expect(waits).toMatchObject({ state: 'pending', mustAct: undefined });
      if (row.asks === 'a new domain' && row.tlsProbe === 'on') await untilRecord(stage, 'order-answer-lost');
      stage.simulator.finishOrders();
      await stage.idle();
      expect(await certificate(stage)).toMatchObject({ state: 'done' });
      if (row.asks === 'a new domain')
        expect(await stage.record(SHOP)).toMatchObject({
          state: row.tlsProbe === 'on' ? 'live' : 'attached',
        });
      expect(orders(stage)).toHaveLength(1);
    },
  );

  test.concurrent('is ended by another certificate id, though its names are not there yet: the proof goes on automatically', async () => {
    await using stage = await createLostStage(kinds[0], {
      simulator: { issuanceLagMs: HOUR_MS, variants: { sslIdOnRedeploy: 'new' } },
    });
    stage.simulator.addFault({ kind: 'drop-after', operation: 'redeploy-ssl', times: 1 });
    await ask(stage, kinds[0]);
    expect(await says(stage, 'already-ordered')).toMatchObject({
      state: 'done',
    });
    expect(await stage.record(SHOP)).toMatchObject({ state: 'waiting-for-certificate' });
    stage.simulator.finishOrders();
    await stage.stands(SHOP, 'live');
    expect(orders(stage)).toHaveLength(1);
  });
});

describe('an order that never came to RunCloud', () => {
  test.concurrent.each(rows.filter(({ operation }) => operation !== 'install-domain-ssl'))(
    '($ssl SSL, asked by $asks, TLS_PROBE=$tlsProbe) is sent again when SSL_COOLDOWN is over, not before',
    async (row) => {
      const env = { TLS_PROBE: row.tlsProbe, SSL_COOLDOWN: '2s' };
      await using stage = await createLostStage(row, { env, simulator: { issuanceLagMs: 50 } });
      stage.simulator.addFault({ kind: 'drop-before', operation: row.operation, times: 1 });
      await ask(stage, row);
      const { outcome } = await says(stage, 'order-answer-lost');
      expect(outcome).toMatch(/ \d{4}-.*\(SSL_COOLDOWN\)/);
      const own = row.ssl === 'advanced' ? SHOP : undefined;
      const first = await stage.lastOrder(own);
      expect(first).toMatchObject({ isLost: true });
      await stage.idle();
      const second = await stage.lastOrder(own);
      expect(second).toMatchObject({ isLost: false });
      expect((second?.orderedAt ?? 0) - (first?.orderedAt ?? 0)).toBeGreaterThanOrEqual(2_000);
      expect(orders(stage)).toHaveLength(1);
    },
  );

  test.concurrent('is sent again also where a person asks meanwhile, who is told the same', async () => {
    const [, , row] = kinds;
    const env = { TLS_PROBE: 'off', SSL_COOLDOWN: '2s' };
    await using stage = await createLostStage(row, { env, simulator: { issuanceLagMs: 50 } });
    stage.simulator.addFault({ kind: 'drop-before', operation: 'redeploy-ssl', times: 1 });
    await ask(stage, row);
    await says(stage, 'order-answer-lost');
    const { jobId } = await stage.producer.requests.enqueue('redeploy-ssl', {});
    await stage.ended(jobId);
    await stage.idle();
    expect(orders(stage)).toHaveLength(1);
  });
});
