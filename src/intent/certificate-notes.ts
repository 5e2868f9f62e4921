// What is remembered of the names on a shared certificate, besides who asked for what: whose DNS was not right a while ago, and who
// stays off for a while so that the others get their certificate. Plain notes: at most one redeploy of a web application runs.
import type { Redis } from 'ioredis';
import type { WebApplication } from '../runcloud/runcloud.ts';
import type { Keys } from './keys.ts';
import { UNSTEADY_MS, type Unsteady } from './suspects.ts';

/** SSL_POISON=detach: a domain stays off until then; how often it has had to. Milliseconds by Redis' clock. */
export interface Benched {
  readonly until: number;
  readonly count: number;
}

export interface CertificateNotes {
  /** These names were not right at this moment, or could not be judged. */
  noteUnsteady(app: WebApplication, names: readonly string[], at: number): Promise<void>;
  /** The domain stays off: `firstMs`, then four times as long each time, at most `longestMs`. */
  bench(app: WebApplication, domain: string, at: number, howLong: HowLong): Promise<Benched>;
  /** A certificate is seen to be late or wrong. Returns when it was seen so first, by whichever domain is on it. */
  noteWrong(app: WebApplication, certificate: string, at: number): Promise<number>;
  /** Its certificate came: it has nothing to make up for. */
  unbench(app: WebApplication, domain: string): Promise<void>;
}

/** As long as the ledger remembers an order (ledger.ts). */
const REMEMBER_MS = 90 * 86_400_000;

interface HowLong {
  readonly firstMs: number;
  readonly longestMs: number;
}

export interface Noted {
  readonly unsteady: Unsteady;
  readonly benched: Readonly<Record<string, Benched>>;
}

const parse = <T>(text: string | null | undefined): Readonly<Record<string, T>> =>
  text ? (JSON.parse(text) as Record<string, T>) : {};

/** From the record's hash. */
export const toNoted = ({ unsteady, benched }: Record<string, string>): Noted => ({
  unsteady: parse<number>(unsteady),
  benched: parse<Benched>(benched),
});

export function createCertificateNotes(redis: Redis, keys: Keys): CertificateNotes {
  const read = async <T>(app: WebApplication, field: keyof Noted): Promise<Readonly<Record<string, T>>> =>
    parse<T>(await redis.hget(keys.certificate(app), field));
  const write = async (app: WebApplication, field: keyof Noted, value: object): Promise<void> => {
    await redis.hset(keys.certificate(app), field, JSON.stringify(value));
  };
  return {
    async noteUnsteady(app, names, at) {
      if (names.length === 0) return;
      const before = Object.entries(await read<number>(app, 'unsteady'));
      const kept = before.filter(([, seenAt]) => at - seenAt <= UNSTEADY_MS);
      await write(app, 'unsteady', Object.fromEntries([...kept, ...names.map((name) => [name, at])]));
    },
    async bench(app, domain, at, { firstMs, longestMs }) {
      const before = await read<Benched>(app, 'benched');
      const count = (before[domain]?.count ?? 0) + 1;
      const benched = { until: at + Math.min(longestMs, firstMs * 4 ** (count - 1)), count };
      await write(app, 'benched', { ...before, [domain]: benched });
      return benched;
    },
    async noteWrong({ serverId, appId }, certificate, at) {
      const key = keys.own(`wrong:${serverId}:${appId}:${certificate}`);
      const isFirst = await redis.set(key, at, 'PX', REMEMBER_MS, 'NX');
      return isFirst ? at : Number((await redis.get(key)) ?? at);
    },
    async unbench(app, domain) {
      const { [domain]: benched, ...others } = await read<Benched>(app, 'benched');
      if (benched) await write(app, 'benched', others);
    },
  };
}
