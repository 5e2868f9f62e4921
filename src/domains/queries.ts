// What is read of the records in Redis. Nothing is written here.
import type { Redis } from 'ioredis';
import { readClock } from '../redis/clock.ts';
import type { Keys } from '../redis/keys.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { type DomainKey, type DomainRecord, includesWww, parseMember } from './domain.ts';
import type { DomainName } from './domain-name.ts';
import { bareOf } from './owner.ts';
import { toDomainRecord } from './record.ts';

export interface DomainQueries {
  get(key: DomainKey): Promise<DomainRecord | undefined>;
  /** The records of this name on any web application, the newest request first. */
  everywhere(domain: DomainName): Promise<DomainRecord[]>;
  /** Whether another web application has a record of any domain. */
  hasOthers(app: WebApplication): Promise<boolean>;
  /** Who has this host name on this web application: the record of the name itself, or of the domain whose www name it is. */
  ownerOf(key: DomainKey): Promise<DomainRecord | undefined>;
  /** The newest request first. */
  list(limit: number): Promise<DomainRecord[]>;
  /** All of them, in no order, a few at a time. */
  scan(): AsyncGenerator<DomainRecord>;
  /** The newest generation of all; it falls only if Redis has lost its data. */
  newestGeneration(): Promise<number>;
  /** Milliseconds since the epoch by Redis' clock. */
  now(): Promise<number>;
}

export function createQueries(redis: Redis, keys: Keys): DomainQueries {
  const get = async (key: DomainKey): Promise<DomainRecord | undefined> =>
    toDomainRecord(key, await redis.hgetall(keys.record(key)));
  const desired = async (key: DomainKey): Promise<DomainRecord | undefined> => {
    const record = await get(key);
    return record?.desired.presence === 'present' ? record : undefined;
  };
  return {
    get,
    async everywhere(domain) {
      const apps = await redis.smembers(keys.apps);
      const found = await Promise.all(apps.map((app) => get(parseMember(`${app}:${domain}`))));
      return found.filter((record) => record !== undefined).toSorted((a, b) => b.requestedAt - a.requestedAt);
    },
    async hasOthers({ serverId, appId }) {
      const apps = await redis.smembers(keys.apps);
      return apps.some((app) => app !== `${serverId}:${appId}`);
    },
    async ownerOf(key) {
      const bare = bareOf(key.domain);
      const [own, other] = await Promise.all([desired(key), bare && desired({ ...key, domain: bare })]);
      return own ?? (other && includesWww(other.desired) ? other : undefined);
    },
    async list(limit) {
      const members = await redis.zrevrange(keys.all, 0, limit - 1);
      const found = await Promise.all(members.map((member) => get(parseMember(member))));
      return found.filter((record) => record !== undefined);
    },
    async *scan() {
      for await (const page of redis.zscanStream(keys.all, { count: 200 })) {
        // Members and scores by turns.
        const members = (page as string[]).filter((_, i) => i % 2 === 0);
        const found = await Promise.all(members.map((member) => get(parseMember(member))));
        yield* found.filter((record) => record !== undefined);
      }
    },
    async newestGeneration() {
      return Number((await redis.get(keys.generation)) ?? 0);
    },
    now: () => readClock(redis),
  };
}
