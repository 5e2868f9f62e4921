// Who gets in at the board, and for how long.
import { describe, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { createLogger } from '../../src/logger/logger.ts';
import { createBoard } from '../../src/server/board/board.ts';
import { tooManyFailures, tryAgainIn } from '../../src/server/board/messages.ts';
import { until } from '../helpers/until.ts';
import {
  type Answer,
  cheapHash,
  cookiesOf,
  createBoardStage,
  get,
  hidden,
  logIn,
  OWN,
  PASSWORDS,
  put,
  QUEUE,
  tryLogIn,
} from './board-stage.ts';

describe('logging in', () => {
  test('needs the right user and password, and leads to the requested page', async () => {
    await using board = await createBoardStage();
    const redirected = await board.app.inject(`/board/queue/${QUEUE}/7?status=failed`);
    expect(redirected.statusCode).toBe(303);
    const { location } = redirected.headers;
    const next = new URL(String(location), 'http://x').searchParams.get('next') ?? '';
    const answer = await tryLogIn(board.app, 'ada', PASSWORDS.ada, { next });
    expect(answer.headers.location).toBe(`/board/queue/${QUEUE}/7?status=failed`);
    const page = await get(board.app, '/board/', cookiesOf(answer));
    expect(page.statusCode).toBe(200);
    expect(page.body).toContain('<title>runcloud-domains</title>');
    expect(page.body).toContain('Log out ada (operator)');
    expect(page.body).not.toMatch(/googleapis| style=|<style/);
  });

  test.each([
    '//evil.example.org',
    'https://evil.example.org',
    '/board/../v1',
    '/v1/domains',
    '/board/logout',
  ])('never leads to %s', async (next) => {
    await using board = await createBoardStage();
    const { location = '' } = (await tryLogIn(board.app, 'ada', PASSWORDS.ada, { next })).headers;
    expect(new URL(String(location), 'http://x').href).toMatch(/^http:\/\/x\/(board\/|v1$)/);
    expect(location).not.toBe('/board/logout');
  });

  test('answers a wrong password and an unknown user with the same page, and logs neither what was typed', async () => {
    await using board = await createBoardStage();
    const wrong = await tryLogIn(board.app, 'ada', 'no such pass');
    const unknown = await tryLogIn(board.app, 'my-secret-typed-as-a-name', PASSWORDS.ada);
    expect([wrong.statusCode, unknown.statusCode]).toEqual([401, 401]);
    const withoutToken = (answer: Answer) => answer.body.replace(/value="[^"]*"/g, '');
    expect(withoutToken(unknown)).toBe(withoutToken(wrong));
    expect(cookiesOf(wrong)).not.toContain('runcloud-domains-board');
    expect(board.log.join('')).not.toMatch(/no such pass|typed-as-a-name|battery/);
    expect(board.log.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'board-login-failed', user: 'ada', address: '192.0.2.1' },
      { event: 'board-login-failed', user: '(unknown)' },
    ]);
  });

  test.each(['ada', 'nobody'])('as %s is locked after five failures, and says for how long', async (name) => {
    await using board = await createBoardStage();
    for (let i = 0; i < 5; i += 1) expect((await tryLogIn(board.app, name, 'wrong')).statusCode).toBe(401);
    const locked = await tryLogIn(board.app, name, PASSWORDS.ada);
    expect(locked.statusCode).toBe(429);
    expect(Number(locked.headers['retry-after'])).toBeGreaterThan(20);
    expect(locked.body).toContain(tryAgainIn(tooManyFailures, Number(locked.headers['retry-after'])));
    // Somebody else, and the same person elsewhere, are not.
    expect((await tryLogIn(board.app, 'vic', PASSWORDS.vic)).statusCode).toBe(303);
    expect((await tryLogIn(board.app, 'ada', PASSWORDS.ada, { address: '192.0.2.2' })).statusCode).toBe(303);
  });

  test('with the right password in time forgets the failures', async () => {
    await using board = await createBoardStage();
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 4; i += 1) await tryLogIn(board.app, 'ada', 'wrong');
      expect((await tryLogIn(board.app, 'ada', PASSWORDS.ada)).statusCode).toBe(303);
    }
  });

  test('is locked for an address that tries many names', async () => {
    await using board = await createBoardStage();
    const answers: number[] = [];
    for (let i = 0; i < 21; i += 1) answers.push((await tryLogIn(board.app, `name-${i}`, 'x')).statusCode);
    expect(answers.slice(0, 20).every((status) => status === 401)).toBe(true);
    expect(answers[20]).toBe(429);
  });

  test('is locked for a whole /64 of IPv6; another one gets in', async () => {
    await using board = await createBoardStage();
    const asAttacker = (i: number) =>
      tryLogIn(board.app, `name-${i}`, 'x', { address: `2001:db8::${(i + 1).toString(16)}` });
    for (let i = 0; i < 20; i += 1) expect((await asAttacker(i)).statusCode).toBe(401);
    for (let i = 20; i < 30; i += 1) {
      expect((await asAttacker(i)).statusCode).toBe(429);
      const answer = await tryLogIn(board.app, 'ada', PASSWORDS.ada, { address: '2001:db8:0:1::1' });
      expect(answer.statusCode).toBe(303);
    }
    // An IPv4 address is itself, however it is written.
    for (let i = 0; i < 20; i += 1) await tryLogIn(board.app, `other-${i}`, 'x', { address: '192.0.2.9' });
    const mapped = await tryLogIn(board.app, 'ada', PASSWORDS.ada, { address: '::ffff:192.0.2.9' });
    expect(mapped.statusCode).toBe(429);
  });

  test('lets one network fail a name as often as it likes without locking it for others', async () => {
    await using board = await createBoardStage();
    const { redis, config } = board.stage;
    for (let i = 0; i < 60; i += 1) {
      expect((await tryLogIn(board.app, 'ada', 'wrong')).statusCode).toBe(401);
      // As if its waits were over.
      for (const key of await redis.keys(`${config.queuePrefix}*board:failures:*`))
        if (!key.includes(':name:')) await redis.hdel(key, 'until');
    }
    expect((await tryLogIn(board.app, 'ada', PASSWORDS.ada, { address: '192.0.2.2' })).statusCode).toBe(303);
  });

  test('and everything without a login is counted by network; who is logged in goes on', async () => {
    await using board = await createBoardStage();
    const cookie = await logIn(board.app, 'ada');
    const send = (url: string, remoteAddress: string, headers = {}) =>
      board.app.inject({ url, remoteAddress, headers });
    const stranger = { cookie: `runcloud-domains-board=${'x'.repeat(43)}` };
    for (const url of ['/board', '/board/login', '/board/api/queues', '/board/nothing']) {
      // One more is let through every half second: faster requests are refused in the end, at each route.
      let answer = await send(url, '2001:db8::ffff', stranger);
      for (let i = 0; i < 5_000 && answer.statusCode !== 429; i += 1)
        answer = await send(url, `2001:db8::${i}`, stranger);
      expect(answer.statusCode).toBe(429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await send('/board/login', '2001:db8:0:1::1')).statusCode).toBe(200);
    expect((await send('/board/api/queues', '2001:db8::1', { cookie })).statusCode).toBe(200);
  });

  test('needs the form that this browser was given', async () => {
    await using board = await createBoardStage();
    const form = await board.app.inject('/board/login');
    const post = (token: string, cookie: string) =>
      board.app.inject({
        method: 'POST',
        url: '/board/login',
        headers: { ...OWN, cookie, 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ token, name: 'ada', password: PASSWORDS.ada }).toString(),
      });
    expect((await post(hidden(form.body, 'token'), '')).statusCode).toBe(403);
    expect((await post('x', cookiesOf(form))).statusCode).toBe(403);
    expect((await post(hidden(form.body, 'token'), cookiesOf(form))).statusCode).toBe(303);
  });

  test('without any user there is one page that says how to make one', async () => {
    await using board = await createBoardStage({ withUsers: [] });
    for (const url of ['/board', '/board/', '/board/login', '/board/api/queues', '/board/x']) {
      const answer = await board.app.inject(url);
      expect(answer.statusCode).toBe(403);
      expect(answer.body).toContain('runcloud-domains board password');
    }
  });
});

describe('a login', () => {
  test('is in Redis as a hash, and in a cookie that no script and no other site gets', async () => {
    await using board = await createBoardStage();
    const answer = await tryLogIn(board.app, 'ada', PASSWORDS.ada);
    const cookie = answer.cookies.find(({ name }) => name === 'runcloud-domains-board');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/board' });
    const keys = await board.stage.redis.keys(`${board.stage.config.queuePrefix}*board:session*`);
    expect(keys).toHaveLength(1);
    expect(keys[0]).not.toContain(cookie?.value);
    expect(await board.stage.redis.get(keys[0] ?? '')).not.toContain(cookie?.value);
  });

  test('behind TLS has a cookie that is bound to this host', async () => {
    await using board = await createBoardStage({ secure: true });
    const answer = await tryLogIn(board.app, 'ada', PASSWORDS.ada);
    const cookie = answer.cookies.find(({ name }) => name === '__Host-runcloud-domains-board');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/', secure: true });
    expect((await get(board.app, '/board/api/queues', cookiesOf(answer))).statusCode).toBe(200);
  });

  test('ends when it is not used, and lasts on while it is', async () => {
    await using board = await createBoardStage({ sessionMs: 60_000 });
    const cookie = await logIn(board.app, 'ada');
    const [key = ''] = await board.stage.redis.keys(`${board.stage.config.queuePrefix}*board:session*`);
    await board.stage.redis.pexpire(key, 5000);
    expect((await get(board.app, '/board/api/queues', cookie)).statusCode).toBe(200);
    expect(await board.stage.redis.pttl(key)).toBeGreaterThan(50_000);
    await board.stage.redis.pexpire(key, 1);
    await until(async () => (await board.stage.redis.exists(key)) === 0, 'it has expired');
    expect((await get(board.app, '/board/api/queues', cookie)).statusCode).toBe(401);
    expect((await get(board.app, '/board/', cookie)).statusCode).toBe(303);
    expect((await put(board.app, `/board/api/queues/${QUEUE}/7/retry`, cookie)).statusCode).toBe(401);
  });

  test('ends with the log-out, and with a new login of the same browser', async () => {
    await using board = await createBoardStage();
    const cookie = await logIn(board.app, 'ada');
    const page = await get(board.app, '/board/logout', cookie);
    const post = (token: string) =>
      board.app.inject({
        method: 'POST',
        url: '/board/logout',
        headers: { ...OWN, cookie, 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ token }).toString(),
      });
    expect((await post('x')).statusCode).toBe(403);
    expect((await get(board.app, '/board/', cookie)).statusCode).toBe(200);
    expect((await post(hidden(page.body, 'token'))).statusCode).toBe(303);
    expect((await get(board.app, '/board/', cookie)).statusCode).toBe(303);
    expect(await board.stage.redis.keys(`${board.stage.config.queuePrefix}*board:session*`)).toEqual([]);
  });

  test('is worth nothing to who can write to Redis: not copied, not changed, not made, not kept', async () => {
    await using board = await createBoardStage();
    const { redis, config } = board.stage;
    const sessionKeys = () => redis.keys(`${config.queuePrefix}*board:session*`);
    const [ada, vic] = [await logIn(board.app, 'ada'), await logIn(board.app, 'vic')];
    const statusFor = async (cookie: string) =>
      (await get(board.app, '/board/api/queues', cookie)).statusCode;
    expect([await statusFor(ada), await statusFor(vic)]).toEqual([200, 200]);
    const records = await Promise.all(
      (await sessionKeys()).map(async (key) => ({ key, text: (await redis.get(key)) ?? '' })),
    );
    const of = (name: string) =>
      records.find(({ text }) => text.includes(`"${name}"`)) as (typeof records)[0];
    const put = (text: string) => redis.set(of('vic').key, text, 'PX', 60_000);
    const parsed = (name: string) => JSON.parse(of(name).text) as Record<string, unknown>;
    const now = Date.now();
    for (const forged of [
      of('ada').text,
      JSON.stringify({ ...parsed('vic'), name: 'ada' }),
      JSON.stringify({ ...parsed('ada'), seal: parsed('vic').seal }),
      JSON.stringify({ ...parsed('vic'), since: now + 1 }),
      JSON.stringify({ ...parsed('vic'), usedAt: now + 1 }),
      JSON.stringify({ name: 'ada', since: now, usedAt: now }),
      JSON.stringify({ name: 'ada', since: now, usedAt: now, seal: '' }),
      '{"name":"__proto__"}',
      'null',
      'x',
    ]) {
      await put(forged);
      expect([forged, await statusFor(vic)]).toEqual([forged, 401]);
    }
    // Its own is good again.
    await put(of('vic').text);
    expect(await statusFor(vic)).toBe(200);
    // Nothing in Redis gives the key of the seal.
    for (const { text } of records)
      expect(Object.keys(JSON.parse(text)).toSorted()).toEqual(['name', 'seal', 'since', 'usedAt']);
  });

  test('does not come back to life from a copy of its record', async () => {
    await using board = await createBoardStage({ sessionMs: 2000 });
    const cookie = await logIn(board.app, 'ada');
    const [key = ''] = await board.stage.redis.keys(`${board.stage.config.queuePrefix}*board:session*`);
    const text = (await board.stage.redis.get(key)) ?? '';
    await until(async () => (await board.stage.redis.exists(key)) === 0, 'it has expired');
    await board.stage.redis.set(key, text);
    expect((await get(board.app, '/board/api/queues', cookie)).statusCode).toBe(401);
  });

  test('does not survive a new password', async () => {
    await using board = await createBoardStage();
    const cookie = await logIn(board.app, 'ada');
    const { queue, keyOf } = board.stage.producer.requests;
    await using other = Fastify();
    await other.register(
      createBoard({
        queue,
        keyOf,
        operator: board.stage.producer.operator,
        users: [{ name: 'ada', role: 'operator', hash: cheapHash('a new password') }],
        sessionMs: 60_000,
        secureCookies: false,
        redis: board.stage.redis,
        audit: board.audit,
        logger: createLogger({ level: 'silent', format: 'json', secrets: [] }),
      }),
    );
    expect((await get(other, '/board/api/queues', cookie)).statusCode).toBe(401);
  });
});
