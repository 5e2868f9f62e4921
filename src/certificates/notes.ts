// What is remembered of the names on a shared certificate besides the requests: whose DNS was not right a while ago, and which domain is
// sidelined so that the others get their certificate. Plain notes: at most one redeploy of a web application runs. A sidelined domain has
// a field of its own, since its own job ends that too, beside the redeploy.
import type { Redis } from 'ioredis';
import type { Keys } from '../redis/keys.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { UNSTEADY_MS, type Unsteady } from './failing-names.ts';

/** SSL_INVALID_NAMES=detach: the domain stays detached until then; how often that happened. Milliseconds by Redis' clock. */
export interface Sidelined {
  readonly until: number;
  readonly count: number;
}

export interface CertificateNotes {
  /** These names were not right at this moment, or nobody could tell. */
  noteUnsteady(app: WebApplication, names: readonly string[], at: number): Promise<void>;
  /** The domain stays detached: `firstMs`, then four times as long each time, at most `longestMs`. */
  sideline(app: WebApplication, domain: string, at: number, howLong: HowLong): Promise<Sidelined>;
  /** A certificate is late or wrong. Returns when that was observed first, for whichever domain on it. */
  noteWrong(app: WebApplication, certificate: string, at: number): Promise<number>;
  /** Its certificate was issued, or it is removed: it starts over. */
  reinstate(app: WebApplication, domain: string): Promise<void>;
}

/** As long as the ledger remembers an order (ledger.ts). */
const REMEMBER_MS = 90 * 86_400_000;

interface HowLong {
  readonly firstMs: number;
  readonly longestMs: number;
}

export interface Noted {
  readonly unsteady: Unsteady;
  readonly sidelined: Readonly<Record<string, Sidelined>>;
}

/** The field of one domain. */
const SIDELINED = 'sidelined:';

const parse = <T>(text: string | null | undefined): Readonly<Record<string, T>> =>
  text ? (JSON.parse(text) as Record<string, T>) : {};

/** From the record's hash. */
export const toNoted = (record: Record<string, string>): Noted => ({
  unsteady: parse<number>(record.unsteady),
  sidelined: Object.fromEntries(
    Object.entries(record)
      .filter(([field]) => field.startsWith(SIDELINED))
      .map(([field, text]) => [field.slice(SIDELINED.length), JSON.parse(text) as Sidelined]),
  ),
});

export function createCertificateNotes(redis: Redis, keys: Keys): CertificateNotes {
  return {
    async noteUnsteady(app, names, at) {
      if (names.length === 0) return;
      const key = keys.certificate(app);
      const before = Object.entries(parse<number>(await redis.hget(key, 'unsteady')));
      const kept = before.filter(([, observedAt]) => at - observedAt <= UNSTEADY_MS);
      const now = Object.fromEntries([...kept, ...names.map((name) => [name, at])]);
      await redis.hset(key, 'unsteady', JSON.stringify(now));
    },
    async sideline(app, domain, at, { firstMs, longestMs }) {
      const [key, field] = [keys.certificate(app), SIDELINED + domain];
      const { count: before = 0 } = parse<never>(await redis.hget(key, field)) as Partial<Sidelined>;
      const count = before + 1;
      const sidelined = { until: at + Math.min(longestMs, firstMs * 4 ** (count - 1)), count };
      await redis.hset(key, field, JSON.stringify(sidelined));
      return sidelined;
    },
    async noteWrong({ serverId, appId }, certificate, at) {
      const key = keys.own(`wrong:${serverId}:${appId}:${certificate}`);
      const isFirst = await redis.set(key, at, 'PX', REMEMBER_MS, 'NX');
      return isFirst ? at : Number((await redis.get(key)) ?? at);
    },
    async reinstate(app, domain) {
      await redis.hdel(keys.certificate(app), SIDELINED + domain);
    },
  };
}
