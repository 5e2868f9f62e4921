// The HTTP server of a test, with one token of each role, through real HTTP.
import { request as httpRequest } from 'node:http';
import { createServerApp, type ServerOptions } from '../../src/app/server.ts';
import { createToken } from '../../src/config/credential-hashes.ts';
import { parseConfig } from '../../src/config/load.ts';
import { until } from './until.ts';

export const tokens = { enqueue: createToken(), read: createToken(), operate: createToken() };
export type Role = keyof typeof tokens;

export const API_TOKENS = Object.entries(tokens)
  .map(([role, { hash }]) => `${role}-1:${role}:${hash}`)
  .join(',');

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; undefined where it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they know it
  readonly body: any;
}

export interface FetchOptions {
  /** Default: operate; null: no token. */
  readonly as?: Role | null;
  readonly body?: unknown;
  /** Sent as it is. */
  readonly text?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  fetch(method: string, path: string, options?: FetchOptions): Promise<Reply>;
}

export interface TestServerOptions extends ServerOptions {
  /** True where a test wants to see what is answered without Redis. */
  readonly isRedisAway?: boolean;
}

export async function startServer(
  env: Readonly<Record<string, string>>,
  { isRedisAway = false, ...options }: TestServerOptions = {},
): Promise<TestServer> {
  const { config } = parseConfig({ API_TOKENS, API_RATE_PER_MINUTE: '100000', ...env, SERVER_PORT: '0' });
  const app = createServerApp(config, options);
  const url = await app.start().catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  return {
    url,
    fetch(method, path, options = {}) {
      const attempt = (): Promise<Reply> => send(new URL(path, url), method, options);
      return isRedisAway ? attempt() : answeredByRedis(attempt);
    },
    [Symbol.asyncDispose]: () => app.close(),
  };
}

/** On a machine that is busy for longer than the second that the server waits for Redis, what it says to do: send it again. */
const answeredByRedis = (attempt: () => Promise<Reply>): Promise<Reply> =>
  until(async () => {
    const reply = await attempt();
    // The board says it in its own words, as JSON or as a page.
    const isAway =
      reply.body?.code === 'redis-unavailable' || /Redis did not answer in time/.test(reply.text);
    return isAway ? undefined : reply;
  }, 'Redis answered in time');

function toHeaders({ as = 'operate', body, text, headers }: FetchOptions): Record<string, string> {
  const hasBody = body !== undefined || text !== undefined;
  return {
    ...(as !== null && { authorization: `Bearer ${tokens[as].token}` }),
    ...(hasBody && { 'content-type': 'application/json' }),
    connection: 'close',
    // Node leaves it out for DELETE.
    ...(hasBody && { 'content-length': String(Buffer.byteLength(toText({ body, text }) ?? '')) }),
    ...headers,
  };
}

const toText = ({
  text,
  body,
}: {
  text?: string | Buffer | undefined;
  body?: unknown;
}): string | Buffer | undefined => text ?? (body === undefined ? undefined : JSON.stringify(body));

// Not fetch: it adds headers of its own, and refuses some that a client may send.
function send(url: URL, method: string, options: FetchOptions): Promise<Reply> {
  const text = toText(options);
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers: toHeaders(options), agent: false }, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        received += chunk;
      });
      response.on('error', reject).on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text: received, body: toJson(received) });
      });
    });
    request.on('error', reject).end(text);
  });
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
