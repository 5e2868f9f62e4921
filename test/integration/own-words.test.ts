// A record speaks of its own domain: another customer's reason, state or name never gets into it, whatever goes wrong for whom.
import { expect, test } from '@jest/globals';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { createHttpsStage } from '../helpers/https-stage.ts';
import { callbacks, testRandomCustomers } from '../helpers/own-words.ts';
import { toldOfDomain } from '../helpers/told.ts';
import { until } from '../helpers/until.ts';
import { createReceiver } from '../helpers/webhook-receiver.ts';
import { APP } from '../helpers/worker.ts';

// `npm run test:slow` plays 25 of each.
testRandomCustomers(2);

test('while one customer’s redeploy ends held by a spent limit, another one who asked since waits for his own', async () => {
  const [BIG, SLOW, INNOCENT] = ['two.bigshop.example', 'slow.example', 'innocent.example'] as const;
  await using receiver = await createReceiver();
  await using stage = await createHttpsStage({
    webapp: { advancedSsl: true, covers: 'all' },
    env: { ...callbacks(receiver), LE_CERTIFICATES_PER_WEEK: '1', RUNCLOUD_TIMEOUT: '120s' },
  });
  const { requests } = stage.producer;
  const add = (domain: string) => requests.enqueue('add-domain', { domain, www: false });
  stage.point('one.bigshop.example', BIG, SLOW, INNOCENT);
  await add('one.bigshop.example');
  await stage.stands('one.bigshop.example', 'live');

  stage.simulator.setSettings({ issuanceLagMs: 3_600_000 });
  const answerSlow = stage.keepWaiting('install-domain-ssl', { domain: SLOW });
  const answerInnocent = stage.keepWaiting('install-domain-ssl', { domain: INNOCENT });
  for (const domain of [BIG, SLOW]) await add(domain);
  const isOrdered = (domain: string) => () =>
    stage.simulator.state.orders.some(({ names }) => names.includes(domain));
  await until(isOrdered(SLOW), 'the first redeploy is at work');
  await add(INNOCENT);
  await stage.stands(INNOCENT, 'waiting-for-certificate');
  answerSlow();
  await until(isOrdered(INNOCENT), 'the next redeploy is at work');
  await stage.stands(BIG, 'held');

  // Its own certificate is on its way, and it looks now: the ask is answered by a look.
  const observedAt = (await stage.record(INNOCENT)).evidence?.at;
  await until(async () => (await stage.record(INNOCENT)).evidence?.at !== observedAt, 'it was looked at');
  expect(await stage.record(INNOCENT)).toMatchObject({
    state: 'waiting-for-certificate',
    mustAct: undefined,
  });
  answerInnocent();
  stage.simulator.finishOrders();
  await stage.stands(INNOCENT, 'live');
  expect(await stage.path(INNOCENT)).not.toContain('held');

  const details = await stage.producer.operator.domain(parseDomainName(INNOCENT), {});
  if (!details) throw new Error('it is not there');
  const told = await toldOfDomain(stage, details, receiver);
  expect(told.filter(([, text]) => /bigshop|slow\.example/.test(text))).toEqual([]);
  // The operator is told whom it is about.
  const record = await requests.certificates.get(APP);
  expect(record).toMatchObject({
    reasonCode: 'letsencrypt-limit',
    outcome: expect.stringMatching(/two\.bigshop\.example: .* for bigshop\.example /),
  });
});
