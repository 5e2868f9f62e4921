// `server` as a process of its own: it answers beside a worker, logs whom it lets in, and ends
// after a signal.
import { expect, test } from '@jest/globals';
import { createToken } from '../../src/config/credential-hashes.ts';
import { runCli, startCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
import { createStage } from '../helpers/worker.ts';

test('a domain requested over HTTP becomes live; SIGTERM stops the server with 0', async () => {
  await using stage = await createStage();
  const { token, hash } = createToken();
  const env = { ...stage.env, SERVER_PORT: '0', API_TOKENS: `shop:operate:${hash}`, LOG_LEVEL: 'debug' };
  await using server = startCli(['server'], { env });
  const url = await until(() => /"url":"(http:[^"]+)"/.exec(server.out())?.[1], 'the server is ready');
  expect(server.out()).toMatch(/"event":"ready".*"tokens":1,"boardUsers":0/);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const call = (path: string, init: RequestInit = {}) => fetch(new URL(path, url), { headers, ...init });
  const body = JSON.stringify({ domain: 'shop.example.org' });
  const accepted = await call('/v1/domains', { method: 'POST', body });
  expect(accepted.status).toBe(202);
  const location = accepted.headers.get('location') ?? '';
  const settled = await until(async () => {
    const record = (await (await call(location)).json()) as { state: string };
    return ['attached', 'live'].includes(record.state) ? record : undefined;
  }, 'it is there');
  expect(settled).toMatchObject({ domain: 'shop.example.org', history: expect.anything() });
  expect(stage.names()).toContain('shop.example.org');
  expect((await call('/healthz')).status).toBe(200);
  server.child.kill('SIGTERM');
  const { code, out, err } = await server.ended;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/"event":"stopping","why":"SIGTERM"[\s\S]*"event":"stopped"/);
  for (const secret of [token, new URL(stage.config.redisUrl).password, stage.simulator.credentials.token])
    expect(out).not.toContain(secret);
}, 300_000);

test('it does not start beyond this machine without tokens, and says what to do', async () => {
  const { code, err } = await runCli(['server'], { env: { SERVER_HOST: '0.0.0.0' } });
  expect(code).toBe(2);
  expect(err).toMatch(/API_TOKENS is missing/);
});
