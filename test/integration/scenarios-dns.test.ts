// What customers' DNS does, from the first look to the record, the API's fields and the callback.
import { describe, expect, test } from '@jest/globals';
import { toRecord } from '../../src/api-records/domains.ts';
import { createHttpsStage, ELSEWHERE, HERE, type HttpsStage } from '../helpers/https-stage.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, SECRET } from '../helpers/webhook-receiver.ts';
import { APP } from '../helpers/worker.ts';

const SHOP = 'shop.example.org';
const WWW = `www.${SHOP}`;

const add = (stage: HttpsStage, domain: string, www = false) =>
  stage.producer.requests.enqueue('add-domain', { domain, www });

/** As `GET /v1/domains/{domain}` and `status --json` show it. */
async function shown(stage: HttpsStage, domain: string) {
  const { domain: name } = await stage.record(domain);
  const details = await stage.producer.operator.domain(name, APP);
  if (!details) throw new Error(`${domain} is not known`);
  return toRecord(details);
}

const record = (name: string, type: string, value: string) => ({
  name,
  type,
  value,
  alternatives: [],
  proxied: null,
});

describe('a customer whose DNS is not right yet', () => {
  test('must act, and the records to set are in the API and in a callback at the first look', async () => {
    await using receiver = await createReceiver();
    await using stage = await createHttpsStage({
      env: { CALLBACK_URLS: receiver.url, CALLBACK_SECRETS: SECRET },
    });
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    await add(stage, SHOP);
    await stage.stands(SHOP, 'waiting-for-dns');
    const dnsRecords = {
      set: [record(SHOP, 'A', HERE)],
      remove: [record(SHOP, 'A', ELSEWHERE)],
      unsure: [],
    };
    expect(await shown(stage, SHOP)).toMatchObject({
      state: 'waiting-for-dns',
      mustAct: 'customer',
      dnsRecords,
    });
    const message = await until(() => receiver.received[0], 'a callback came');
    expect(message.payload).toMatchObject({
      type: 'domain.waiting',
      data: { mustAct: 'customer', dnsRecords },
    });
    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
    expect((await shown(stage, SHOP)).dnsRecords).toEqual({ set: [], remove: [], unsure: [] });
  });

  test('is not told to change the www that follows its domain by a CNAME', async () => {
    await using stage = await createHttpsStage();
    stage.edge.setDns(SHOP, { a: ELSEWHERE });
    stage.edge.setDns(WWW, { cname: SHOP });
    await add(stage, SHOP, true);
    expect(await stage.stands(SHOP, 'waiting-for-dns')).toMatchObject({ reasonCode: 'dns-wrong' });
    expect((await shown(stage, SHOP)).dnsRecords).toEqual({
      set: [record(SHOP, 'A', HERE)],
      remove: [record(SHOP, 'A', ELSEWHERE)],
      unsure: [],
    });
    stage.point(SHOP);
    await stage.stands(SHOP, 'live');
  });

  test('and stands behind Cloudflare’s proxy is told to turn it off, and to remove nothing', async () => {
    await using stage = await createHttpsStage();
    stage.edge.setDns(SHOP, { a: ['104.21.0.1', '172.67.0.1'], aaaa: ['2606:4700:3030::6815:1'] });
    await add(stage, SHOP);
    const { outcome, mustAct } = await stage.stands(SHOP, 'waiting-for-dns');
    expect([outcome, mustAct]).toEqual([expect.stringContaining('DNS_GATE_PROBE'), 'customer']);
    expect((await shown(stage, SHOP)).dnsRecords).toEqual({
      set: [{ ...record(SHOP, 'A', HERE), proxied: false }],
      remove: [],
      unsure: [],
    });
  });

  test('and allows Let’s Encrypt by dns-01 only spoils no order, and goes on when that is mended', async () => {
    await using stage = await createHttpsStage();
    const caa = { tag: 'issue', value: 'letsencrypt.org; validationmethods=dns-01' };
    stage.edge.setDns(SHOP, { a: HERE, caa });
    await add(stage, SHOP);
    expect((await stage.stands(SHOP, 'waiting-for-dns')).outcome).toMatch(
      /validationmethods=dns-01 at shop\.example\.org\) forbids Let's Encrypt to issue by http-01/,
    );
    expect((await shown(stage, SHOP)).dnsRecords?.set).toEqual([
      record(SHOP, 'CAA', '0 issue "letsencrypt.org"'),
    ]);
    expect(stage.names()).not.toContain(SHOP);
    stage.edge.setDns(SHOP, { a: HERE, caa: [caa, { tag: 'issue', value: 'letsencrypt.org' }] });
    await stage.stands(SHOP, 'live');
  });
});
