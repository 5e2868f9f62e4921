// Looks at everything that a worker needs, and says of each whether it will do and how to mend it. Changes nothing.

import { CodedError, codes, reasonOf } from '../errors.ts';
import type { RedisFinding } from '../redis/connection.ts';
import type { RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import { checkSsl, type SslPorts } from './ssl.ts';
import { checkToken } from './token.ts';

export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was looked at: `redis`, `credentials`, … */
  readonly subject: string;
  readonly sentence: string;
  readonly fix?: string | undefined;
}

export interface DoctorPorts {
  /** Reads and judges the Redis server. */
  readonly checkRedis: () => Promise<RedisFinding[]>;
  /** Undefined where no credentials are configured. */
  readonly runcloud: RunCloud | undefined;
  /** The token in force, where there is one: its end is read, and nothing of it is shown. */
  readonly token: string | undefined;
  readonly app: Partial<WebApplication>;
  /** Where the DNS of a name is served. */
  readonly zone: SslPorts['zone'];
}

type Check = () => Promise<Finding[]>;

/** Yields findings as they come, so that a slow one does not hide the others. */
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
  sentence: 'no RunCloud credentials are configured',
  fix: 'set RUNCLOUD_API_TOKEN (API v3), or RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET (API v2)',
};

async function attempt(subject: Subject, check: Check): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    const fix = fixes[subject] ?? (error instanceof CodedError ? codes[error.code].fix : undefined);
    return [{ level: 'fail', subject, sentence: reasonOf(error), fix }];
  }
}

type Subject = 'redis' | 'credentials' | 'server' | 'web application' | 'ssl';

/** What to do where the code's own advice would lead back to `doctor`. */
const fixes: Partial<Record<Subject, string>> = {
  redis:
    'check REDIS_URL (rediss:// where Redis speaks TLS, and only there), REDIS_CA_FILE, and that Redis runs there',
  server: "set RUNCLOUD_SERVER_ID to the number behind /servers/ in RunCloud's address bar",
  'web application': "set RUNCLOUD_APP_ID to the number behind /webapps/ in RunCloud's address bar",
};

async function ping(runcloud: RunCloud): Promise<Finding[]> {
  await runcloud.ping();
  return [{ level: 'ok', subject: 'credentials', sentence: 'RunCloud accepts them' }];
}

const unset = (subject: Subject, variable: string): Finding => ({
  level: 'warn',
  subject,
  sentence: `${variable} is not set; every job has to name it`,
  fix: `set ${variable} to the number in RunCloud's address bar`,
});

async function checkServer(runcloud: RunCloud, serverId: number): Promise<Finding[]> {
  const { name, ipAddress, online } = await runcloud.getServer(serverId);
  const sentence = `${serverId}${name ? ` "${name}"` : ''}${ipAddress ? `, ${ipAddress}` : ''}`;
  if (online !== false) return [{ level: 'ok', subject: 'server', sentence }];
  return [
    {
      level: 'warn',
      subject: 'server',
      sentence: `${sentence} is offline`,
      fix: 'look at the server in RunCloud',
    },
  ];
}

async function checkWebApplication(ports: SslPorts, app: WebApplication): Promise<Finding[]> {
  const { runcloud } = ports;
  const { appId } = app;
  const { name } = await runcloud.getWebApplication(app);
  const domains = await runcloud.listDomains(app);
  const sentence = `${appId}${name ? ` "${name}"` : ''}, ${domains.length} domain${domains.length === 1 ? '' : 's'}`;
  return [
    { level: 'ok', subject: 'web application', sentence },
    ...(await attempt('ssl', () => checkSsl(ports, app, domains))),
  ];
}
