// Checks everything that a worker needs. One finding each, with its fix. Changes nothing.

import { CodedError, codes, reasonOf } from '../errors.ts';
import type { RedisFinding } from '../redis/connection.ts';
import type { RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import * as messages from './messages.ts';
import { checkSsl, type SslPorts } from './ssl.ts';
import { checkToken } from './token.ts';

export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was checked: `redis`, `credentials`, … */
  readonly subject: string;
  readonly sentence: string;
  readonly fix?: string | undefined;
}

export interface DoctorPorts {
  /** Reads and judges the Redis server. */
  readonly checkRedis: () => Promise<RedisFinding[]>;
  /** Undefined: no credentials are configured. */
  readonly runcloud: RunCloud | undefined;
  /** The current token, if there is one. Only its end is read and shown. */
  readonly token: string | undefined;
  readonly app: Partial<WebApplication>;
  /** Who serves the DNS of a name. */
  readonly zone: SslPorts['zone'];
}

type Check = () => Promise<Finding[]>;

/** Yields findings as they come: a slow check does not delay the others. */
export async function* examine(ports: DoctorPorts, scope: 'all' | 'redis'): AsyncGenerator<Finding> {
  yield* await attempt('redis', async () =>
    (await ports.checkRedis()).map((found) => ({ subject: 'redis', ...found })),
  );
  if (scope === 'redis') return;
  const { runcloud, app } = ports;
  if (app.serverId === undefined) yield unset('server', 'RUNCLOUD_SERVER_ID');
  if (app.appId === undefined) yield unset('web application', 'RUNCLOUD_APP_ID');
  if (!runcloud) {
    yield noCredentials;
    return;
  }
  yield* checkToken(ports.token, Date.now());
  const reached = await attempt('credentials', () => ping(runcloud));
  yield* reached;
  if (reached.some(({ level }) => level === 'fail')) return;
  if (app.serverId === undefined) return;
  const { serverId, appId } = app;
  const server = await attempt('server', () => checkServer(runcloud, serverId));
  yield* server;
  if (appId === undefined || server.some(({ level }) => level === 'fail')) return;
  yield* await attempt('web application', () =>
    checkWebApplication({ runcloud, zone: ports.zone }, { serverId, appId }),
  );
}

const noCredentials: Finding = {
  level: 'fail',
  subject: 'credentials',
  sentence: messages.noCredentials,
  fix: messages.fixes.credentials,
};

async function attempt(subject: Subject, check: Check): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    const fix = fixOf(subject) ?? (error instanceof CodedError ? codes[error.code].fix : undefined);
    return [{ level: 'fail', subject, sentence: reasonOf(error), fix }];
  }
}

type Subject = 'redis' | 'credentials' | 'server' | 'web application' | 'ssl';

/** Where the fix of the code would be "run `doctor`". */
const fixOf = (subject: Subject): string | undefined =>
  subject === 'redis' || subject === 'server' || subject === 'web application'
    ? messages.fixes[subject]
    : undefined;

async function ping(runcloud: RunCloud): Promise<Finding[]> {
  await runcloud.ping();
  return [{ level: 'ok', subject: 'credentials', sentence: messages.credentialsAccepted }];
}

const unset = (subject: Subject, variable: string): Finding => ({
  level: 'warn',
  subject,
  sentence: messages.variableMissing(variable),
  fix: messages.fixes.variable(variable),
});

async function checkServer(runcloud: RunCloud, serverId: number): Promise<Finding[]> {
  const { name, ipAddress, online } = await runcloud.getServer(serverId);
  const isOffline = online === false;
  const sentence = messages.serverFound({ serverId, name, ipAddress }, isOffline);
  if (!isOffline) return [{ level: 'ok', subject: 'server', sentence }];
  return [{ level: 'warn', subject: 'server', sentence, fix: messages.fixes.offline }];
}

async function checkWebApplication(ports: SslPorts, app: WebApplication): Promise<Finding[]> {
  const { runcloud } = ports;
  const { appId } = app;
  const { name } = await runcloud.getWebApplication(app);
  const domains = await runcloud.listDomains(app);
  const sentence = messages.webApplicationFound(appId, name, domains.length);
  return [
    { level: 'ok', subject: 'web application', sentence },
    ...(await attempt('ssl', () => checkSsl(ports, app, domains))),
  ];
}
