// The Redis users of docs/guides/security.md, as its lines make them.
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';

export type RedisUser = 'runcloud-domains' | 'runcloud-domains-app';

export const PASSWORD = 'a0secret0of0the0limited0user';

export function documentedRules(user: RedisUser): string[] {
  const text = readFileSync(new URL('../../docs/guides/security.md', import.meta.url), 'utf8');
  const [, rules = ''] = new RegExp(`^ACL SETUSER ${user} (.*)$`, 'm').exec(text) ?? [];
  return rules.replace('PASSWORD', PASSWORD).split(' ');
}

/** Makes the user on the server at `url`, for keys below `prefix`, and resolves with its REDIS_URL. */
export async function createUser(
  admin: Redis,
  url: string,
  user: RedisUser,
  prefix = 'bull',
): Promise<string> {
  const rules = documentedRules(user).map((rule) => rule.replace(/^~bull:/, `~${prefix}:`));
  await admin.call('ACL', 'SETUSER', user, 'reset', ...rules);
  await admin.call('ACL', 'LOG', 'RESET');
  return Object.assign(new URL(url), { username: user, password: PASSWORD }).href;
}

/** What Redis has refused since. */
export async function refused(admin: Redis): Promise<string[]> {
  const entries = (await admin.call('ACL', 'LOG')) as unknown[];
  return entries.map((entry) => JSON.stringify(entry));
}

export const connected = async (url: string): Promise<Redis> => {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
};
