// A corner of the suite's Redis for one test: its own key prefix, its own user, and a clean-up that tells on leaks.
// The URL names a Redis user made for the test: every connection is then known by it, and no key outside the
// prefix can be touched. (On a TEST_REDIS_URL that forbids ACL, the URL is the plain one and leaks go unseen.)
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** Connections that a `close()` has just ended may be listed for a moment, on a busy machine for a long one. */
const LEAK_GRACE_MS = 20_000;

export interface TestRedis extends AsyncDisposable {
  /** Give it to the code under test as REDIS_URL. */
  readonly url: string;
  /** Give it as QUEUE_PREFIX; every key must have it in its name. */
  readonly prefix: string;
  /** The connections that use `url` at this moment, as CLIENT LIST describes them. */
  connections(): Promise<string[]>;
  /** Deletes the keys; throws when a connection of this test is still open. Once, at the end of the test. */
  cleanup(): Promise<void>;
}

function suiteUrl(): string {
  const url = process.env.TEST_REDIS_URL_IN_USE;
  if (!url) throw new Error('No Redis for this test: run it by jest, whose global set-up starts one.');
  return url;
}

async function createUser(admin: Redis, name: string): Promise<string> {
  const password = randomUUID();
  try {
    await admin.call('ACL', 'SETUSER', name, 'on', `>${password}`, `~*${name}*`, '&*', '+@all');
  } catch {
    return suiteUrl();
  }
  const url = new URL(suiteUrl());
  url.username = name;
  url.password = password;
  return url.href;
}

async function connectionsOf(admin: Redis, user: string): Promise<string[]> {
  const list = String(await admin.call('CLIENT', 'LIST'));
  return list.split('\n').filter((line) => line.includes(` user=${user} `));
}

async function deleteKeys(admin: Redis, prefix: string): Promise<void> {
  for await (const keys of admin.scanStream({ match: `*${prefix}*`, count: 500 })) {
    if (keys.length > 0) await admin.unlink(...keys);
  }
}

async function leaksOf(admin: Redis, user: string, graceMs: number): Promise<string[]> {
  const deadline = performance.now() + graceMs;
  let open = await connectionsOf(admin, user);
  while (open.length > 0 && performance.now() < deadline) {
    await sleep(20);
    open = await connectionsOf(admin, user);
  }
  return open;
}

function describeLeak(line: string): string {
  const field = (name: string): string => new RegExp(` ${name}=(\\S*)`).exec(line)?.[1] ?? '';
  return `name=${field('name') || '-'} last command=${field('cmd')} age=${field('age')}s`;
}

async function cleanUp(admin: Redis, name: string, graceMs: number): Promise<void> {
  try {
    const leaks = await leaksOf(admin, name, graceMs);
    // Also cuts the connections that have leaked, before the keys go.
    await admin.call('ACL', 'DELUSER', name).catch(() => undefined);
    await deleteKeys(admin, name);
    if (leaks.length === 0) return;
    throw new Error(`${leaks.length} Redis connection(s) left open:\n${leaks.map(describeLeak).join('\n')}`);
  } finally {
    admin.disconnect();
  }
}

/** A fresh corner; end it by `cleanup()` or `await using`. */
export async function testRedis({ leakGraceMs = LEAK_GRACE_MS } = {}): Promise<TestRedis> {
  const admin = new Redis(suiteUrl());
  const prefix = `test-${randomUUID().slice(0, 8)}`;
  const url = await createUser(admin, prefix);
  const cleanup = (): Promise<void> => cleanUp(admin, prefix, leakGraceMs);
  return {
    url,
    prefix,
    connections: () => connectionsOf(admin, prefix),
    cleanup,
    [Symbol.asyncDispose]: cleanup,
  };
}
