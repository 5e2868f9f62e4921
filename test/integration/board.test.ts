// What each role may do at the board, and that nothing of Bull Board's own that changes something can be reached.
import { appRoutes } from '@bull-board/api/dist/routes.js';
import { describe, expect, test } from '@jest/globals';
import { EMPTY_ROUTES, READ_ROUTES } from '../../src/server/board/bull-board.ts';
import { notFromBoard, notOnBoard, viewerOnly } from '../../src/server/board/messages.ts';
import {
  createBoardStage,
  get,
  logIn,
  OWN,
  PASSWORDS,
  put,
  QUEUE,
  SECRET,
  TARGET,
  tryLogIn,
} from './board-stage.ts';

/** Every route of Bull Board's API, of the installed version. */
const bullBoardRoutes: { method: string; route: string }[] = appRoutes.api.flatMap(({ method, route }) =>
  [method].flat().flatMap((one) => [route].flat().map((url) => ({ method: one.toUpperCase(), route: url }))),
);
const mutating = bullBoardRoutes.filter(({ method }) => method !== 'GET');
const toUrl = (route: string): string =>
  `/board${route.replace(':queueName', QUEUE).replace(':queueStatus', 'failed').replace(/:\w+/g, '7')}`;

describe('of what Bull Board offers', () => {
  test('everything is known: read, answered emptily, or refused', () => {
    const reading = bullBoardRoutes.filter(({ method }) => method === 'GET').map(({ route }) => route);
    expect(new Set(reading)).toEqual(new Set([...READ_ROUTES, ...Object.keys(EMPTY_ROUTES)]));
    expect(mutating.length).toBeGreaterThan(20);
  });

  test('a viewer may change nothing, by no route', async () => {
    await using board = await createBoardStage();
    const cookie = await logIn(board.app, 'vic');
    await board.stage.queue.pause();
    const before = await board.stage.queue.getJobCounts();
    for (const { method, route } of mutating) {
      const url = toUrl(route);
      const answer = await board.app.inject({ method: method as 'PUT', url, headers: { ...OWN, cookie } });
      expect([url, answer.statusCode]).toEqual([url, 403]);
      expect(answer.json()).toEqual({ error: viewerOnly });
    }
    expect(await board.stage.queue.getJobCounts()).toEqual(before);
    expect(await board.stage.queue.isPaused()).toBe(true);
    const { queues } = (await get(board.app, '/board/api/queues', cookie)).json();
    expect(queues[0]).toMatchObject({ readOnlyMode: true, allowRetries: false });
  });

  test('an operator may retry, and nothing else', async () => {
    await using board = await createBoardStage();
    const cookie = await logIn(board.app, 'ada');
    const added = await board.stage.queue.add(
      'add-domain',
      { domain: 'a.example.org' },
      { delay: 60_000, jobId: 'x-7' },
    );
    const allowed: string[] = [];
    for (const { method, route } of mutating) {
      const url = toUrl(route).replace(/\/7(?=\/|$)/, `/${added.id}`);
      const answer = await board.app.inject({
        method: method as 'PUT',
        url,
        headers: { ...OWN, cookie },
        payload: { data: {}, delay: 1, priority: 1, name: 'x', concurrency: 1 },
      });
      if (answer.statusCode !== 403) allowed.push(route);
      else expect(answer.json()).toEqual({ error: notOnBoard });
    }
    expect(allowed.toSorted()).toEqual([
      '/api/queues/:queueName/:jobId/retry',
      '/api/queues/:queueName/retry/:queueStatus',
    ]);
    expect(await (await board.stage.job('x-7')).getState()).toBe('delayed');
    expect(await board.stage.queue.isPaused()).toBe(false);
  });

  test('nothing is there without a login, by any method', async () => {
    await using board = await createBoardStage();
    for (const { method, route } of bullBoardRoutes) {
      const answer = await board.app.inject({ method: method as 'PUT', url: toUrl(route), headers: OWN });
      expect([route, answer.statusCode]).toEqual([route, 401]);
    }
    for (const url of ['/board', '/board/', `/board/queue/${QUEUE}`, '/board/static/favicon.ico', '/board/x'])
      expect((await board.app.inject(url)).statusCode).toBe(303);
  });

  test('nothing is taken from another site, with whatever cookie', async () => {
    await using board = await createBoardStage();
    const cookie = await logIn(board.app, 'ada');
    for (const headers of [
      {},
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example.org' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      for (const { method, route } of [
        ...mutating,
        { method: 'POST', route: '/login' },
        { method: 'POST', route: '/logout' },
      ]) {
        const answer = await board.app.inject({
          method: method as 'PUT',
          url: toUrl(route),
          headers: { ...headers, cookie, 'content-type': 'text/plain' },
          payload: 'x=1',
        });
        expect([route, answer.statusCode]).toEqual([route, 403]);
        expect(answer.body).toContain(notFromBoard);
      }
    }
    expect(await board.stage.queue.getJobCounts()).toMatchObject({ waiting: 0, delayed: 0 });
  });
});

test('callbacks are shown without their target, and cannot be retried here', async () => {
  await using board = await createBoardStage();
  const { stage, app } = board;
  const delivery = { messageId: 'msg_1', target: 'digest', domain: 'a.example.org', at: 1, body: '{}' };
  await stage.producer.deliveryQueues.of(TARGET).add('domain.live', delivery, { jobId: 'msg_1_digest' });
  const cookie = await logIn(app, 'ada');
  const name = `${QUEUE}-callbacks-${TARGET}`;
  const { queues } = (await get(app, `/board/api/queues?activeQueue=${name}&status=waiting`, cookie)).json();
  expect(queues[1]).toMatchObject({
    name,
    readOnlyMode: true,
    description: 'Callbacks to https://a.example.org/hooks',
  });
  expect(queues[1].jobs).toMatchObject([{ name: 'domain.live', data: { domain: 'a.example.org' } }]);
  expect(queues[1].jobs[0].data).not.toHaveProperty('target');
  for (const url of ['msg_1_digest/retry', 'retry/failed', 'pause'])
    expect((await put(app, `/board/api/queues/${name}/${url}`, cookie)).statusCode).toBe(403);
});

test('every answer has the headers that close it off', async () => {
  await using board = await createBoardStage();
  const cookie = await logIn(board.app, 'ada');
  const { body } = await get(board.app, '/board/', cookie);
  const script = /src="(static\/js\/[^"]+)"/.exec(body)?.[1];
  const answers = [
    await get(board.app, '/board/', cookie),
    await get(board.app, `/board/queue/${QUEUE}`, cookie),
    await get(board.app, `/board/${script}`, cookie),
    await get(board.app, '/board/api/queues', cookie),
    await get(board.app, `/board/api/queues/${QUEUE}/none`, cookie),
    await get(board.app, '/board/nothing', cookie),
    await get(board.app, '/board/static/nothing.js', cookie),
    await get(board.app, '/board/logout', cookie),
    await board.app.inject('/board'),
    await board.app.inject('/board/login'),
    await board.app.inject('/board/api/queues'),
    await put(board.app, '/board/api/queues/pause', cookie),
    await put(board.app, '/board/api/queues/pause', cookie, {}),
    await tryLogIn(board.app, 'ada', 'x'),
    await tryLogIn(board.app, 'ada', PASSWORDS.ada),
  ];
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([
    200, 200, 200, 200, 404, 404, 404, 200, 303, 200, 401, 403, 403, 401, 303,
  ]);
  answers.forEach(({ headers }, i) => {
    expect([i, headers]).toEqual([
      i,
      expect.objectContaining({
        'content-security-policy': expect.stringMatching(/^default-src 'none';.*frame-ancestors 'none'$/),
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'cache-control': i === 2 ? 'private, no-cache' : 'no-store',
      }),
    ]);
    expect(headers['content-security-policy']).not.toMatch(/unsafe|https?:|\*/);
  });
});

test('a secret that a foreign client left in a job is shown nowhere', async () => {
  await using board = await createBoardStage({ stage: { workers: 1 } });
  const { stage, app } = board;
  const cookie = await logIn(app, 'vic');
  const id = await stage.queue
    .add(`job-${SECRET}`, { domain: `${SECRET}.`, apiKey: 'hunter2', nested: { token: 'hunter2' } })
    .then((job) => job.id ?? '');
  const job = await stage.ended(id);
  await job.log(`a line with ${SECRET}`);
  await job.updateProgress({ secret: 'hunter2' });
  await stage.queue.upsertJobScheduler('s', { every: 1e9 }, { name: 'x', data: { apiKey: 'hunter2' } });
  for (const route of [
    `/queues?activeQueue=${QUEUE}&status=latest&page=1&jobsPerPage=100`,
    `/queues?activeQueue=${QUEUE}&status=delayed&page=1&jobsPerPage=100`,
    `/queues/${QUEUE}/${id}`,
    `/queues/${QUEUE}/${id}/logs`,
    `/queues/${QUEUE}/${id}/flow`,
    `/queues/${QUEUE}/workers`,
    '/job-schedulers',
  ]) {
    const answer = await get(app, `/board/api${route}`, cookie);
    expect([route, answer.statusCode]).toEqual([route, 200]);
    expect(answer.body).not.toMatch(new RegExp(`${SECRET}|hunter2|127\\.0\\.0\\.1`));
  }
  expect((await get(app, '/board/api/redis/stats', cookie)).statusCode).toBe(403);
});
