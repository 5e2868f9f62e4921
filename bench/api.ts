// `node scripts/run.mjs bench [requests per round]`: how many requests a second POST /v1/domains takes, and how long each waits, beside
// a bare fastify with BullMQ's `add`, in one run on one Redis. The rounds alternate, so that a busy machine slows both.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { startRedisServer } from '../scripts/redis-server.ts';
import { createToken } from '../src/config/credential-hashes.ts';

const ROUNDS = 5;
const AT_ONCE = 50;
const requests = Math.min(Number(process.argv[2] ?? 3_000), 20_000);

interface Contestant {
  readonly name: string;
  readonly child: ChildProcess;
  readonly port: number;
  readonly rates: number[];
  readonly waits: number[];
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const { token, hash } = createToken();
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
let domains = 0;

function post(port: number): Promise<void> {
  domains += 1;
  const body = JSON.stringify({ domain: `shop-${domains}.example.org`, siteId: domains });
  return new Promise((resolve, reject) => {
    const how = { port, host: '127.0.0.1', method: 'POST', path: '/v1/domains', agent, headers };
    const call = request(how, (reply) => {
      reply.resume().on('end', resolve);
      if (reply.statusCode !== 202) reject(new Error(`answered with ${reply.statusCode}`));
    });
    call.on('error', reject).end(body);
  });
}

/** Resolves with requests per second; adds to `waits` how long each took, in milliseconds. */
async function round(port: number, count: number, waits: number[]): Promise<number> {
  let left = count;
  const startedAt = performance.now();
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const sentAt = performance.now();
      await post(port);
      waits.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, client));
  return (count / (performance.now() - startedAt)) * 1000;
}

const run = (file: string, args: readonly string[], env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });

async function startBare(url: string): Promise<Contestant> {
  const child = run('./bare-server.ts', [], { REDIS_URL: url });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { name: 'bare fastify + add', child, port, rates: [], waits: [] };
}

async function startOurs(url: string): Promise<Contestant> {
  const env = {
    REDIS_URL: url,
    SERVER_PORT: '0',
    API_TOKENS: `bench:enqueue:${hash}`,
    API_RATE_PER_MINUTE: '1000000',
    RUNCLOUD_SERVER_ID: '1903',
    RUNCLOUD_APP_ID: '646',
  };
  const child = run('../src/cli/main.ts', ['server'], env);
  let out = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  await once(child, 'message');
  const port = Number(/"url":"http:[^"]*:(\d+)"/.exec(out)?.[1]);
  return { name: 'runcloud-domains', child, port, rates: [], waits: [] };
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

await using redis = await startRedisServer({ aof: false });
const contestants = [await startBare(redis.url), await startOurs(redis.url)] as const;
try {
  for (const { port } of contestants) await round(port, Math.ceil(requests / 4), []); // warm
  for (let i = 0; i < ROUNDS; i += 1)
    for (const { port, rates, waits } of contestants) rates.push(await round(port, requests, waits));
  const lines = contestants.map(({ name, rates, waits }) => {
    const ms = (share: number): string => at(sorted(waits), share).toFixed(1);
    return `${name.padEnd(20)} ${at(sorted(rates), 0.5).toFixed(0).padStart(6)} requests/s   p50 ${ms(0.5)} ms   p99 ${ms(0.99)} ms`;
  });
  const [bare, ours] = contestants.map(({ rates }) => at(sorted(rates), 0.5)) as [number, number];
  console.log(`${ROUNDS} rounds of ${requests} requests each, ${AT_ONCE} at once; medians of the rounds`);
  for (const line of lines) console.log(line);
  console.log(`${(ours / bare).toFixed(2)} of bare`);
} finally {
  agent.destroy();
  for (const { child } of contestants) child.kill('SIGTERM');
}
