// No secret leaves the server or what stands beside it, while RunCloud echoes credentials and foreign clients leave theirs in jobs:
// every page and route, logs, metrics, traces, callbacks and Redis are searched for all of them.
import { expect, test } from '@jest/globals';
import { createWorkerApp } from '../../src/app/worker.ts';
import { secretsOf as configuredSecrets } from '../../src/config/load.ts';
import { createLogger } from '../../src/logger/logger.ts';
import { BOARD_USERS, logInAt, OWN, PASSWORDS } from '../helpers/board-login.ts';
import { createCollector } from '../helpers/collector.ts';
import { API_TOKENS, startServer, type TestServer, tokens } from '../helpers/http-server.ts';
import { dump, echoOf, found, misbehave, secretsOf } from '../helpers/secrets.ts';
import { until } from '../helpers/until.ts';
import { createReceiver, SECRET } from '../helpers/webhook-receiver.ts';
import { createStage, PROMPT, type Stage } from '../helpers/worker.ts';

const NAMES = ['good', 'rejected', 'forbidden', 'flaky', 'html'].map((name) => `${name}.example.org`);

/** Of the server itself, besides those of workers. */
const own = [
  ...Object.values(tokens).flatMap(({ token, hash }) => [token, hash]),
  ...Object.values(PASSWORDS),
  ...BOARD_USERS.split(' ').map((entry) => entry.replace(/^.*\$/, '')),
  SECRET.replace('whsec_', ''),
];

interface Route {
  readonly method: string;
  readonly url: string;
}

/** Reads every route that can be read, of each job and domain that there is, in each role that may. */
async function readAll(server: TestServer, routes: readonly Route[], stage: Stage): Promise<string> {
  const jobs = (await stage.queue.getJobs()).map(({ id }) => id ?? '');
  const texts: string[] = [];
  for (const name of ['ada', 'vic'] as const) {
    const cookie = await logInAt(server, name);
    for (const path of routes
      .filter(({ method }) => method === 'GET')
      .flatMap((route) => pathsOf(route, jobs))) {
      const reply = await server.fetch('GET', path, { headers: { ...OWN, cookie } });
      texts.push(path, JSON.stringify(reply.headers).replaceAll(cookie, ''), reply.text);
    }
  }
  return texts.join('\n');
}

function pathsOf({ url }: Route, jobs: readonly string[]): string[] {
  const path = url.replace('::', ':').replace(':queueName', 'runcloud-domains');
  if (path === '/board/api/queues')
    return ['latest', 'failed', 'completed', 'delayed', 'waiting'].map(
      (status) => `${path}?activeQueue=runcloud-domains&status=${status}&page=1&jobsPerPage=100`,
    );
  if (/:(id|jobId)/.test(path)) return jobs.map((id) => path.replace(/:(id|jobId)/, encodeURIComponent(id)));
  if (path.includes(':domain')) return NAMES.map((name) => path.replace(':domain', name));
  return [path.replace('*', '')];
}

test('a planted secret is found nowhere', async () => {
  await using collector = await createCollector();
  await using receiver = await createReceiver();
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  await using stage = await createStage({
    workers: 0,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      CALLBACK_URLS: `${receiver.url}?key=a0secret0of0the0url`,
      CALLBACK_SECRETS: SECRET,
      BOARD_USERS,
      API_TOKENS,
    },
  });
  misbehave(stage);
  const secrets = [...secretsOf(stage), ...own];
  // What somebody types by mistake: the server knows it for a secret, since it is in its configuration.
  const typed = configuredSecrets(stage.config).join(' ');

  const worker = createWorkerApp(stage.config, undefined, {
    backoff: PROMPT,
    retryPolicy: stage.retryPolicy,
  });
  await worker.start();
  const made: Route[] = [];
  const server = await startServer(
    { ...stage.env, LOG_LEVEL: 'trace' },
    {
      logger: createLogger({
        level: 'trace',
        format: 'json',
        secrets: configuredSecrets(stage.config),
        destination: { write },
      }),
      onRoute: ({ method, url }) => made.push({ method: String(method), url }),
    },
  );
  try {
    const tell = async (method: string, path: string, body?: object): Promise<void> => {
      const { status } = await server.fetch(method, path, { body });
      expect([path, [200, 202].includes(status)]).toEqual([path, true]);
    };
    const requestedBy = typed.slice(0, 100);
    for (const domain of NAMES) await tell('POST', '/v1/domains', { domain, requestedBy });
    await tell('POST', '/v1/certificates:redeploy', { requestedBy });
    await stage.idle();
    const scope = { kind: 'site', siteId: '9' };
    await tell('POST', '/v1/pauses', { scope, reason: typed.slice(0, 300) });
    // Once more, so that something is failed when all is looked at.
    stage.simulator.addFault({
      kind: 'status',
      status: 422,
      body: echoOf(stage),
      domain: 'rejected.example.org',
    });
    await tell('POST', '/v1/jobs:retry', { filter: {}, confirm: true });
    await tell('DELETE', '/v1/domains/good.example.org');
    await stage.idle();
    const metrics = (await server.fetch('GET', '/metrics')).text;
    expect(metrics).toMatch(/runcloud_domains_queue_jobs\{state="failed"\} [1-9]/);
    await until(() => receiver.types().includes('domain.failed'), 'the outside was told');
    const shown = await readAll(server, made, stage);
    // A request is kept as it was made, with the name that it gave itself; all that we wrote about it is searched.
    const redis = (await dump(stage)).replaceAll(typed.slice(0, 100), '');
    await server[Symbol.asyncDispose]();
    await worker.close();
    const told = receiver.received.map(({ raw, headers }) => `${raw} ${JSON.stringify(headers)}`).join('\n');
    const everywhere = { shown, metrics, redis, told, traces: collector.text(), log: lines.join('\n') };
    // The search would find them: what surrounds the secrets is there.
    for (const text of [shown, redis, told, everywhere.traces])
      expect(text).toMatch(/Bad credentials \*\*\*/);
    expect(everywhere.log).toMatch(/"event":"http"/);
    for (const [where, text] of Object.entries(everywhere))
      expect([where, found(text, [...secrets, 'a0secret0of0the0url'])]).toEqual([where, []]);
  } finally {
    await server[Symbol.asyncDispose]();
    await worker.close();
  }
}, 300_000);
