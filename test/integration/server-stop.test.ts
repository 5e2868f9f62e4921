// The server as a process manager meets it: it reports when it is ready, and answers open requests before it ends.
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { describe, expect, test } from '@jest/globals';
import { runServer } from '../../src/cli/commands/server.ts';
import { parseConfig } from '../../src/config/load.ts';
import { startServer } from '../helpers/http-server.ts';
import { testRedis } from '../helpers/redis.ts';
import { until } from '../helpers/until.ts';

const envOf = ({ url, prefix }: { url: string; prefix: string }) => ({
  REDIS_URL: url,
  QUEUE_PREFIX: prefix,
  LOG_LEVEL: 'silent',
  SERVER_PORT: '0',
});

describe('the command', () => {
  test('announces itself, and ends with exit code 0 on a signal', async () => {
    await using corner = await testRedis();
    const stop = Promise.withResolvers<string>();
    const ready = Promise.withResolvers<void>();
    const { config } = parseConfig(envOf(corner));
    const ended = runServer({ config, warnings: ['x'], stopped: stop.promise, announceReady: ready.resolve });
    await ready.promise;
    stop.resolve('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('ends with the reason where it cannot listen', async () => {
    await using corner = await testRedis();
    await using first = await startServer(envOf(corner));
    const { config } = parseConfig({ ...envOf(corner), SERVER_PORT: new URL(first.url).port });
    const never = new Promise<string>(() => undefined);
    const ended = runServer({ config, warnings: [], stopped: never, announceReady: () => undefined });
    await expect(ended).rejects.toThrow(/EADDRINUSE/);
  });
});

describe('a server that stops', () => {
  // A part with a request that takes as long as the test says.
  async function withSlowRequest(env: Record<string, string>) {
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<string>();
    const server = await startServer(env, {
      register: [
        async (app) => {
          app.get('/slow', async () => {
            arrived.resolve();
            return answer.promise;
          });
        },
      ],
    });
    const reply = server.fetch('GET', '/slow').catch((error: Error) => error);
    await arrived.promise;
    return { server, answer, reply };
  }

  test('answers earlier requests', async () => {
    await using corner = await testRedis();
    const { server, answer, reply } = await withSlowRequest(envOf(corner));
    const closed = server[Symbol.asyncDispose]();
    answer.resolve('at last');
    expect(await reply).toMatchObject({ status: 200, text: 'at last' });
    await closed;
    await expect(server.fetch('GET', '/healthz')).rejects.toThrow(/ECONNREFUSED/);
  });

  test('keeps no connection open beyond the answer that was under way', async () => {
    await using corner = await testRedis();
    const { server, answer, reply } = await withSlowRequest(envOf(corner));
    const agent = new Agent({ keepAlive: true });
    const kept = request(new URL('/slow', server.url), { agent }).end();
    await once(kept, 'socket');
    const other = once(kept, 'response');
    await server.fetch('GET', '/healthz'); // the slow one has been taken before it
    const closed = server[Symbol.asyncDispose]();
    const isGone = (): Promise<boolean> =>
      server.fetch('GET', '/healthz').then(
        () => false,
        () => true,
      );
    await until(isGone, 'it takes nothing new');
    answer.resolve('at last');
    const [response] = (await other) as [IncomingMessage];
    response.resume();
    expect(response.headers.connection).toBe('close');
    await Promise.all([closed, reply]);
    agent.destroy();
  });

  test('answers what comes over a connection that was idle when the stop began, and ends that connection', async () => {
    await using corner = await testRedis();
    const server = await startServer(envOf(corner));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const send = async (): Promise<IncomingMessage> => {
      const sent = request(new URL('/healthz', server.url), { agent }).end();
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      return response;
    };
    expect((await send()).headers.connection).toBe('keep-alive');
    const closed = server[Symbol.asyncDispose]();
    const isListening = () => server.fetch('GET', '/healthz').then(Boolean, () => false);
    await until(async () => !(await isListening()), 'it takes no new connection');
    expect((await send()).headers.connection).toBe('close');
    await closed;
    agent.destroy();
  });

  test('does not wait for ever: what is not answered in time is cut off', async () => {
    await using corner = await testRedis();
    const { server, reply } = await withSlowRequest({ ...envOf(corner), SHUTDOWN_TIMEOUT: '1s' });
    await server[Symbol.asyncDispose]();
    expect(await reply).toMatchObject({ code: 'ECONNRESET' });
  });
});
