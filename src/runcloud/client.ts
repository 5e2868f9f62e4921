// Builds the RunCloud client: API v2 and v3 behind the one shape of runcloud.ts. Wiring and the
// plain reads only.
import { type ApiVersion, createDomainCalls } from './domain-calls.ts';
import type { Operation } from './errors.ts';
import { toUnusableReply } from './failures.ts';
import { createHttp, type Http, type HttpSettings } from './http.ts';
import { createLogCall } from './log-call.ts';
import { faults } from './messages.ts';
import type { CallOptions, RunCloud } from './runcloud.ts';
import { isRow, parseServer, parseWebApplication } from './schemas.ts';
import { createSslCalls, toAppPath } from './ssl-calls.ts';
import { createSslWrites } from './ssl-writes.ts';

export type { ApiVersion } from './domain-calls.ts';
export type { Credentials } from './http.ts';

export interface RunCloudSettings extends HttpSettings {
  readonly version: ApiVersion;
}

export interface RunCloudClient extends RunCloud {
  /** Identifies the current credentials without revealing them. */
  fingerprint(): string;
  /** Closes the connections. Running calls end with an unknown result. */
  close(): void;
}

interface Read<T> {
  readonly operation: Operation;
  readonly path: string;
  readonly parse: (body: unknown) => T | undefined;
  readonly options: CallOptions | undefined;
}

async function read<T>(http: Http, { operation, path, parse, options }: Read<T>): Promise<T> {
  const { status, body } = await http.exchange({ operation, method: 'GET', path, options });
  const value = parse(body);
  if (value === undefined) throw toUnusableReply(operation, status, faults.noFields);
  return value;
}

type PlainCalls = Pick<RunCloud, 'ping' | 'getServer' | 'getWebApplication'>;

function createPlainCalls(http: Http): PlainCalls {
  return {
    // [D] runcloud.io/docs/api/v3: {"message":"pong"}. Any JSON object will do: it is not a 401.
    async ping(options) {
      const parse = (body: unknown) => (isRow(body) ? true : undefined);
      await read(http, { operation: 'ping', path: '/ping', parse, options });
    },
    getServer: (serverId, options) =>
      read(http, { operation: 'getServer', path: `/servers/${serverId}`, parse: parseServer, options }),
    getWebApplication: (app, options) =>
      read(http, {
        operation: 'getWebApplication',
        path: toAppPath(app),
        parse: parseWebApplication,
        options,
      }),
  };
}

export function createRunCloud({ version, ...settings }: RunCloudSettings): RunCloudClient {
  const http = createHttp(settings);
  return {
    ...createPlainCalls(http),
    ...createDomainCalls(http, version),
    ...createLogCall(http),
    ...createSslCalls(http),
    ...createSslWrites(http),
    fingerprint: () => http.fingerprint(),
    close: () => http.close(),
  };
}
