// Real PM2 with the built program: an update refuses no request and loses no job, and nothing is left when it is deleted.
import { expect, test } from '@jest/globals';
import { createToken } from '../../src/config/credential-hashes.ts';
import { createWorld, type World } from '../e2e/world.ts';
import { freePort } from '../helpers/port.ts';
import { until } from '../helpers/until.ts';
import { type Load, type Question, startLoad } from './helpers/load.ts';
import { createPm2, isAlive, type Pm2 } from './helpers/pm2.ts';

const ECOSYSTEM = 'ecosystem.config.js';
const RELOADS = 3;
/** So many good answers of each kind of client before we go on: the load is there. */
const WARM = { fresh: 50, kept: 50, idle: 5 };

const everyTenth = (count: number): boolean => count % 10 === 0;

/** Domains are requested and read; each accepted request must be carried out. */
function askForDomains(world: World, url: string, token: string): Load {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  let count = 0;
  const next = (): Question => {
    count += 1;
    if (!everyTenth(count)) return { method: 'GET', path: '/v1/pauses', headers };
    const body = JSON.stringify({ domain: `shop-${count}.example.org` });
    return { method: 'POST', path: '/v1/domains', headers, body };
  };
  const isGood = (status: number, { method, body = '' }: Question): boolean => {
    if (method === 'GET') return status === 200;
    if (status === 202) world.desired((JSON.parse(body) as { domain: string }).domain, 'present');
    return status === 202;
  };
  return startLoad({ url, next, isGood });
}

const untilAnswered = (load: Load): Promise<boolean> => {
  const before = { ...load.answered };
  const kinds = Object.keys(WARM) as (keyof typeof WARM)[];
  const isWarm = () => kinds.every((kind) => load.answered[kind] - before[kind] >= WARM[kind]);
  return until(isWarm, 'the clients have been answered');
};

async function reload(pm2: Pm2): Promise<void> {
  const before = await pm2.processes();
  await pm2.run('reload', ECOSYSTEM);
  const after = await pm2.processes();
  expect(after.map(({ status }) => status)).toEqual(['online', 'online', 'online']);
  const same = after.filter(({ pid }) => before.some((old) => old.pid === pid));
  expect(same).toEqual([]);
  await until(() => before.every(({ pid }) => !isAlive(pid)), 'the old processes have ended');
}

test('three reloads under load refuse no request and lose no job', async () => {
  await using world = await createWorld();
  const { token, hash } = createToken();
  const port = await freePort();
  await using pm2 = await createPm2({
    ...world.env,
    LOG_LEVEL: 'info',
    SERVER_PORT: String(port),
    API_TOKENS: `load:operate:${hash}`,
    API_RATE_PER_MINUTE: '1000000',
    DNS_GATE: 'off',
  });
  await pm2.run('start', ECOSYSTEM);
  const load = askForDomains(world, `http://127.0.0.1:${port}`, token);
  try {
    await untilAnswered(load);
    for (let i = 0; i < RELOADS; i += 1) {
      await reload(pm2);
      await untilAnswered(load);
    }
  } finally {
    await load.stop();
  }
  console.log(`Answered during ${RELOADS} reloads: ${JSON.stringify(load.answered)}`);
  expect(load.errors).toEqual([]);
  await world.verify();

  const running = await pm2.processes();
  expect(running).toMatchObject([
    { name: 'runcloud-domains', status: 'online', mode: 'fork_mode' },
    { name: 'runcloud-domains', status: 'online', mode: 'fork_mode' },
    { name: 'runcloud-domains-server', status: 'online', mode: 'cluster_mode' },
  ]);
  await pm2.run('stop', ECOSYSTEM);
  expect((await pm2.processes()).map(({ status }) => status)).toEqual(['stopped', 'stopped', 'stopped']);
  const log = pm2.logOf('runcloud-domains-server');
  for (const event of ['ready', 'stopping', 'stopped'])
    expect([event, log.split(`"event":"${event}"`).length - 1]).toEqual([event, 1 + RELOADS]);
  await pm2.run('delete', ECOSYSTEM);
  expect(await pm2.processes()).toEqual([]);
  expect(running.filter(({ pid }) => isAlive(pid))).toEqual([]);
  const daemon = pm2.daemonPid();
  await pm2.run('kill');
  await until(() => !isAlive(daemon), 'the daemon has ended');
});
