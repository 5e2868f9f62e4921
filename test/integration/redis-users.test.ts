// The two Redis users of docs/guides/security.md, with a Redis of this file alone: what they need they can do, and nothing else. Every command
// that the server knows is tried.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { type RedisServer, startRedisServer } from '../../scripts/redis-server.ts';
import { createQueueClient } from '../../src/client/queue.ts';
import { encodeDesired } from '../../src/domains/desired.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { QUEUE_NAME } from '../../src/jobs/catalog.ts';
import { createKeys } from '../../src/redis/keys.ts';
import { runCli } from '../helpers/cli.ts';
import { connected, createUser, type RedisUser, refused } from '../helpers/redis-users.ts';
import { createStage } from '../helpers/worker.ts';

const PREFIX = 'bull';
const APP = { serverId: 1903, appId: 646 };
const keys = createKeys(PREFIX, QUEUE_NAME);
const CALLBACKS = `${PREFIX}:${QUEUE_NAME}-callbacks-0a1b2c3d4e`;
const users = ['runcloud-domains', 'runcloud-domains-app'] as const;

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedisServer();
  admin = new Redis(server.url);
});
beforeEach(() => admin.flushall());
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

const urlOf = (user: RedisUser): Promise<string> => createUser(admin, server.url, user);

const NO = /NOPERM|No permissions|can't (run|access)|has no permissions/i;

describe('a program that asks, as runcloud-domains-app,', () => {
  test('can make every request through our client, and Redis refuses nothing', async () => {
    const redisUrl = await urlOf('runcloud-domains-app');
    const client = createQueueClient({ redisUrl, queuePrefix: PREFIX, ...APP });
    const { jobId } = await client.addDomain({ domain: 'a.example.org', siteId: '7', requestedBy: 'web-1' });
    expect(await client.addDomain({ domain: 'a.example.org' })).toMatchObject({ coalesced: true });
    const many = Array.from({ length: 5 }, (_, i) => ({ domain: `d${i}.example.org`, www: true }));
    for (const result of await client.addDomains(many)) expect(result.accepted).toBe(true);
    await client.removeDomain({ domain: 'd0.example.org' });
    await expect(client.addDomain({ domain: 'www.d1.example.org' })).rejects.toThrow(/www name of/);
    await client.redeploySsl({});
    expect(await client.redeploySsl({ domain: 'd1.example.org' })).toMatchObject({ coalesced: true });
    // Its job was lost; it waits for DNS; its counter was lost.
    await admin.del(`${keys.queue}${jobId}`);
    await client.addDomain({ domain: 'a.example.org' });
    await admin.hset(
      keys.record({ ...APP, domain: parseDomainName('a.example.org') }),
      'state',
      'waiting-for-dns',
    );
    await admin.zrem(`${keys.queue}prioritized`, jobId);
    await admin.zadd(`${keys.queue}delayed`, (Date.now() + 600_000) * 4096, jobId);
    await client.addDomain({ domain: 'a.example.org' });
    expect(await admin.zscore(`${keys.queue}delayed`, jobId).then(Number)).toBeLessThan(
      (Date.now() + 1_000) * 4096,
    );
    await admin.set(keys.generation, 0);
    await client.removeDomain({ domain: 'd2.example.org' });
    const redeploy = await client.redeploySsl({});
    await admin.zrem(`${keys.queue}prioritized`, redeploy.jobId);
    await admin.zadd(`${keys.queue}delayed`, (Date.now() + 600_000) * 4096, redeploy.jobId);
    await client.redeploySsl({});
    await client.close();
    expect(await refused(admin)).toEqual([]);
  });

  test('is told which right is missing, and where rights are described', async () => {
    const redisUrl = await urlOf('runcloud-domains-app');
    const elsewhere = createQueueClient({ redisUrl, queuePrefix: 'other', ...APP });
    const inDatabase2 = createQueueClient({ redisUrl: `${redisUrl}/2`, queuePrefix: PREFIX, ...APP });
    const payload = { domain: 'a.example.org' };
    const error = {
      code: 'redis-no-permission',
      message: expect.stringContaining('docs/guides/security.md'),
    };
    await expect(elsewhere.addDomain(payload)).rejects.toMatchObject(error);
    await expect(inDatabase2.addDomain(payload)).rejects.toMatchObject(error);
    await expect(inDatabase2.addDomain(payload)).rejects.toThrow(/'select'/);
    await Promise.all([elsewhere.close(), inDatabase2.close()]);
    const env = { REDIS_URL: redisUrl, RUNCLOUD_SERVER_ID: '1903', RUNCLOUD_APP_ID: '646' };
    const { code, err } = await runCli(['add', 'a.example.org'], { env });
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringMatching(/'smembers'[\s\S]*security\.md/),
    });
    expect(err).not.toMatch(/repeating|REDIS_URL right/);
    await admin.acl('LOG', 'RESET');
  });

  test('can add jobs by BullMQ itself, with whatever options it has for them', async () => {
    const connection = await connected(await urlOf('runcloud-domains-app'));
    const queue = new Queue(QUEUE_NAME, { connection, prefix: PREFIX });
    queue.on('error', () => undefined);
    const data = { domain: 'a.example.org' };
    const deduplication = { id: 'y', ttl: 1_000, extend: true, replace: true };
    const all = [
      {},
      { delay: 1_000 },
      { priority: 5, jobId: 'mine' },
      { priority: 5, jobId: 'mine' },
      { lifo: true },
      { deduplication: { id: 'x' } },
      { deduplication: { id: 'x' } },
      { delay: 1_000, deduplication },
      { delay: 1_000, deduplication },
    ];
    try {
      await queue.setGlobalConcurrency(3);
      for (const options of all) await queue.add('add-domain', data, options);
      await queue.addBulk([
        { name: 'add-domain', data },
        { name: 'redeploy-ssl', data: {}, opts: { delay: 5, priority: 3 } },
      ]);
    } finally {
      await queue.close();
      connection.disconnect();
    }
    expect(await refused(admin)).toEqual([]);
  });

  test('cannot use keepLastIfActive', async () => {
    const connection = await connected(await urlOf('runcloud-domains-app'));
    const queue = new Queue(QUEUE_NAME, { connection, prefix: PREFIX });
    queue.on('error', () => undefined);
    const add = () => queue.add('add-domain', {}, { deduplication: { id: 'x', keepLastIfActive: true } });
    try {
      await add();
      await expect(add()).rejects.toThrow(NO);
    } finally {
      await queue.close();
      connection.disconnect();
    }
  });

  const own = (name: string): string => keys.own(name);
  test.each([
    own('pauses'),
    keys.outbox,
    own('board:failures:ada'),
    keys.lease({ ...APP, domain: parseDomainName('a.example.org') }),
  ])('cannot have a worker make %s', async (key) => {
    const env = { REDIS_URL: await urlOf('runcloud-domains'), QUEUE_PREFIX: PREFIX };
    await using stage = await createStage({ env });
    const redis = await connected(await urlOf('runcloud-domains-app'));
    const job = { name: 'add-domain', data: '{}', opts: '{}' };
    try {
      await redis.hset(`${keys.queue}dn:x`, { ...job, pdk: key, jid: 'next' });
      await redis.hset(`${keys.queue}first`, { ...job, timestamp: '1', deid: 'x' });
      await redis.lpush(`${keys.queue}wait`, 'first');
      await redis.zadd(`${keys.queue}marker`, '0', '0');
      await stage.ended('next');
    } finally {
      redis.disconnect();
    }
    expect(await admin.exists(key)).toBe(0);
    expect(await refused(admin)).toEqual([]);
  });

  test.each<[what: string, command: string, ...args: string[]]>([
    ['copy a board session', 'hgetall', own('board:session:0')],
    ['read a board session', 'get', own('board:session:0')],
    ['make a board session', 'set', own('board:session:0'), '{}'],
    ['lift a lockout of the board', 'del', own('board:failures:ada')],
    ['write into the outbox', 'xadd', keys.outbox, '*', 'type', 'domain.live'],
    [
      'write into the outbox by a script',
      'eval',
      `return redis.call('XADD', '${keys.outbox}', '*', 'a', 'b')`,
      '0',
    ],
    ['read the outbox', 'xrange', keys.outbox, '-', '+'],
    ['add a delivery', 'lpush', `${CALLBACKS}:wait`, '1'],
    ['add a delivery by a script', 'eval', `return redis.call('HSET', '${CALLBACKS}:1', 'data', '{}')`, '0'],
    ['read a delivery', 'hgetall', `${CALLBACKS}:1`],
    ['read an answer that was kept', 'get', own('idempotency:0')],
    ['write into the audit log', 'xadd', own('audit'), '*', 'who', 'cli:ada'],
    ['read the audit log', 'xrange', own('audit'), '-', '+'],
    ['read the ledger', 'hgetall', own('ledger:order:1903:646')],
    ['spend the ledger', 'set', own('ledger:hour:1903:646'), '9'],
    ['change the rate limiter', 'hset', own('rate-limit'), 'throttledUntil', '9'],
    ['read the rate limiter', 'hgetall', own('rate-limit')],
    ['take a lease', 'set', keys.lease({ ...APP, domain: parseDomainName('a.example.org') }), 'me'],
    ['pause', 'hset', own('pauses'), 'all', '{}'],
    ['pretend to be a worker', 'zadd', own('workers'), '1', 'me'],
    ['read the server’s facts', 'hgetall', own('facts:1903')],
    ['close a receiver’s circuit', 'del', own('callback-circuit:0a1b2c3d4e')],
    [
      'read a domain’s history',
      'lrange',
      keys.history({ ...APP, domain: parseDomainName('a.example.org') }),
      '0',
      '-1',
    ],
    ['read what jobs told', 'xrange', `${keys.queue}events`, '-', '+'],
    ['list keys', 'keys', '*'],
    ['walk through keys', 'scan', '0'],
    ['draw a key', 'randomkey'],
    ['count keys', 'dbsize'],
    ['go to another database', 'select', '1'],
    ['move a key to another database', 'move', `${keys.queue}1`, '1'],
    ['rename a key', 'rename', `${keys.queue}1`, own('rate-limit')],
    ['copy a key', 'copy', own('rate-limit'), `${keys.queue}1`],
    ['store what it may not read', 'sunionstore', `${keys.queue}x`, own('pauses')],
    ['read a key of somebody else', 'get', 'another:key'],
    ['read another queue below the prefix', 'get', 'bull:another:id'],
    ['read the configuration', 'config', 'get', '*'],
    ['read slow commands', 'slowlog', 'get'],
    ['watch commands', 'monitor'],
    ['list functions', 'function', 'list'],
    ['drop functions', 'function', 'flush'],
    ['drop scripts', 'script', 'flush'],
    ['list users', 'acl', 'list'],
    ['list connections', 'client', 'list'],
    ['track keys', 'client', 'tracking', 'on', 'bcast'],
    ['publish', 'publish', 'anything', 'x'],
    ['subscribe', 'subscribe', 'anything'],
    ['subscribe to what happens to keys', 'psubscribe', '__key*__:*'],
    ['delete everything', 'flushall'],
    ['block', 'blpop', `${keys.queue}wait`, '0'],
  ])('cannot %s', async (_, command, ...args) => {
    const redis = await connected(await urlOf('runcloud-domains-app'));
    try {
      await expect(redis.call(command, ...args)).rejects.toThrow(NO);
    } finally {
      redis.disconnect();
    }
  });
});

describe('what remains to who has a password', () => {
  test('runcloud-domains-app reads and changes all requests and their jobs', async () => {
    const record = keys.record({ ...APP, domain: parseDomainName('other.example.org') });
    await admin.hset(
      record,
      'desired',
      encodeDesired({ presence: 'present', www: false, redirection: 'none' }),
      'by',
      'api:shop',
    );
    await admin.zadd(keys.all, 1, '1903:646:other.example.org');
    await admin.hset(`${keys.queue}7`, 'name', 'add-domain', 'data', '{}');
    const redis = await connected(await urlOf('runcloud-domains-app'));
    try {
      expect(await redis.zrange(keys.all, '0', '10')).toEqual(['1903:646:other.example.org']);
      expect(await redis.hgetall(record)).toMatchObject({ by: 'api:shop' });
      await redis.hset(record, 'desired', encodeDesired({ presence: 'absent' }));
      expect(await redis.hget(`${keys.queue}7`, 'name')).toBe('add-domain');
      await redis.del(record, `${keys.queue}7`);
    } finally {
      redis.disconnect();
    }
  });

  test('runcloud-domains has full access to our keys, and reads the names of all others but not their values', async () => {
    await admin.set('another:key', 'hidden');
    const redis = await connected(await urlOf('runcloud-domains'));
    try {
      await redis.set(keys.own('pauses'), 'x');
      await redis.del(keys.outbox, keys.own('pauses'), keys.own('audit'));
      expect((await redis.scan(0))[1]).toContain('another:key');
      await expect(redis.get('another:key')).rejects.toThrow(NO);
    } finally {
      redis.disconnect();
    }
  });
});

describe('a worker, as runcloud-domains,', () => {
  test.each<[command: string, ...args: string[]]>([
    ['get', 'another:key'],
    ['set', 'another:key', '1'],
    ['eval', "return redis.call('GET', 'another:key')", '0'],
    ['copy', 'another:key', 'bull:x'],
    ['copy', 'bull:x', 'another:key'],
    ['rename', 'bull:x', 'another:key'],
    ['sort', 'bull:x', 'by', 'another:*'],
    ['keys', '*'],
    ['randomkey'],
    ['dbsize'],
    ['flushall'],
    ['flushdb'],
    ['swapdb', '0', '1'],
    ['config', 'get', '*'],
    ['config', 'set', 'dir', '/tmp'],
    ['acl', 'list'],
    ['acl', 'setuser', 'runcloud-domains', '+@all'],
    ['client', 'list'],
    ['client', 'info'],
    ['client', 'tracking', 'on', 'bcast'],
    ['client', 'caching', 'yes'],
    ['client', 'kill', 'type', 'normal'],
    ['client', 'unblock', '1'],
    ['client', 'pause', '1'],
    ['client', 'no-evict', 'on'],
    ['client', 'reply', 'off'],
    ['module', 'list'],
    ['replicaof', '127.0.0.1', '1'],
    ['monitor'],
    ['shutdown'],
    ['save'],
    ['migrate', '127.0.0.1', '1', 'bull:x', '0', '1'],
    ['publish', 'anything', 'x'],
    ['subscribe', '__keyevent@0__:set'],
    ['pubsub', 'channels'],
    ['function', 'list'],
    ['function', 'flush'],
    ['function', 'delete', 'x'],
    ['fcall', 'x', '0'],
    ['script', 'flush'],
    ['script', 'kill'],
    ['wait', '0', '0'],
    ['lastsave'],
    ['role'],
  ])('cannot do %s %s', async (command, ...args) => {
    const redis = await connected(await urlOf('runcloud-domains'));
    try {
      await expect(redis.call(command, ...args)).rejects.toThrow(NO);
    } finally {
      redis.disconnect();
    }
  });

  test('leaves another application’s functions as they are', async () => {
    await admin.call(
      'FUNCTION',
      'LOAD',
      "#!lua name=theirs\nredis.register_function('theirs', function() return 1 end)",
    );
    const redis = await connected(await urlOf('runcloud-domains'));
    try {
      for (const args of [['flush'], ['delete', 'theirs'], ['restore', 'x', 'flush'], ['dump'], ['stats']])
        await expect(redis.call('function', ...args)).rejects.toThrow(NO);
      for (const call of ["redis.call('FUNCTION', 'FLUSH')", "redis.call('FCALL', 'theirs', 0)"])
        await expect(redis.eval(`return ${call}`, 0)).rejects.toThrow(/not allowed from script/);
    } finally {
      redis.disconnect();
    }
    expect(await admin.call('FUNCTION', 'LIST')).toHaveLength(1);
  });
});

describe('of all commands that the server knows', () => {
  /** [name, arity, …, subcommands], as COMMAND tells of each. */
  type Told = [name: string, arity: number, ...unknown[]];
  type Command = { readonly words: readonly string[]; readonly arity: number };

  async function allCommands(): Promise<Command[]> {
    const told = (await admin.call('COMMAND')) as Told[];
    return told.flatMap(([name, arity, ...rest]) => {
      const inner = (rest.find((part, i) => i === 7 && Array.isArray(part)) ?? []) as Told[];
      const own = { words: [name], arity };
      return [own, ...inner.map(([full, count]) => ({ words: full.split('|'), arity: count }))];
    });
  }

  /** Arguments of many shapes, all of whose keys are somebody else's. */
  function* shapesOf({ words, arity }: Command): Generator<string[]> {
    const least = Math.abs(arity) - words.length;
    for (let count = Math.max(least, 0); count <= least + 4; count += 1) {
      const plain = Array.from({ length: count }, () => 'another:key');
      yield plain;
      for (const at of [0, 1, 2])
        for (const number of ['1', '2']) yield plain.map((text, i) => (i === at ? number : text));
      yield plain.map((text, i) => (i === count - 2 ? 'STORE' : text));
      yield ['STREAMS', ...plain];
      yield ['COUNT', '1', 'STREAMS', ...plain];
      yield ['GROUP', 'g', 'c', 'STREAMS', ...plain];
      yield ['1', '1', ...plain, 'LEFT'];
    }
  }

  interface Found {
    /** Lines that reach a key of somebody else. */
    readonly leaks: string[];
    /** Commands that work, and have no key in any shape. */
    readonly keyless: string[];
  }

  /** `open`: Redis lets the user. `keyed`: it has a key. */
  async function tried(user: RedisUser, line: string[]): Promise<{ open: boolean; keyed: boolean }> {
    const [keysFound, verdict] = await Promise.all([
      admin.call('COMMAND', 'GETKEYS', ...line).catch(() => []),
      admin.call('ACL', 'DRYRUN', user, ...line).catch((error: Error) => error.message),
    ]);
    return { open: verdict === 'OK', keyed: (keysFound as string[]).length > 0 };
  }

  async function look(user: RedisUser): Promise<Found> {
    await urlOf(user);
    const found: Found = { leaks: [], keyless: [] };
    for (const command of await allCommands()) {
      const lines = [...shapesOf(command)].map((args) => [...command.words, ...args]);
      const all = await Promise.all(lines.map((line) => tried(user, line)));
      found.leaks.push(
        ...lines.filter((_, i) => all[i]?.open && all[i]?.keyed).map((line) => line.join(' ')),
      );
      if (all.some(({ open }) => open) && !all.some(({ keyed }) => keyed))
        found.keyless.push(command.words.join('|'));
    }
    return found;
  }

  /** What works without a key, for each user: no more than docs/guides/security.md says. These four Redis allows everybody, to log in. */
  const LOGIN = ['auth', 'hello', 'quit', 'reset'];
  const remaining: Record<RedisUser, string[]> = {
    'runcloud-domains': [
      ...LOGIN,
      ...[
        'client|setname',
        'discard',
        'echo',
        'exec',
        'info',
        'multi',
        'ping',
        'scan',
        'select',
        'time',
        'unwatch',
      ],
    ],
    'runcloud-domains-app': [...LOGIN, 'client|setname', 'info', 'ping', 'time'],
  };

  test.each(users)(
    '%s can do none to a key of somebody else, and without a key only what the page lists',
    async (user) => {
      const { leaks, keyless } = await look(user);
      expect(leaks).toEqual([]);
      expect(keyless.sort()).toEqual([...remaining[user]].sort());
    },
  );

  test('the looking itself finds what is open', async () => {
    await urlOf('runcloud-domains-app');
    await admin.call('ACL', 'SETUSER', 'runcloud-domains-app', '~another:*', '+@all');
    const commands = await allCommands();
    expect(commands.length).toBeGreaterThan(300);
    expect(await admin.call('ACL', 'DRYRUN', 'runcloud-domains-app', 'GET', 'another:key')).toBe('OK');
    expect(await admin.call('ACL', 'DRYRUN', 'runcloud-domains-app', 'FUNCTION', 'FLUSH')).toBe('OK');
  });
});
