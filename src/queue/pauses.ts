// What a person has paused: everything, one web application, or one site, with a reason and until when. A pause
// changes no record: its jobs continue from where they were.
import type { Redis } from 'ioredis';
import { PermanentError } from '../errors.ts';
import { NOW } from '../redis/clock.ts';
import type { Keys } from '../redis/keys.ts';
import { EXPECT } from '../redis/run-script.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import * as messages from './messages.ts';

export type PauseScope =
  | { readonly kind: 'all' }
  | ({ readonly kind: 'app' } & WebApplication)
  /** The site that the requests name; a job without one (a redeploy) belongs to none. */
  | { readonly kind: 'site'; readonly siteId: string };

export interface PauseRequest {
  readonly scope: PauseScope;
  readonly reason: string;
  /** Who, for people. */
  readonly by: string;
  /** By Redis' clock, in milliseconds since the epoch; undefined: until `resume`. */
  readonly untilMs?: number | undefined;
}

/** A pause in force. Times by Redis' clock. */
export interface Pause extends PauseRequest {
  readonly at: number;
  readonly untilMs: number | undefined;
  /** How long it still lasts. */
  readonly leftMs: number | undefined;
}

/** Where a job belongs. What is left out is in no narrower scope: `{}` means a pause of everything. */
export interface PauseSubject extends Partial<WebApplication> {
  readonly siteId?: string | undefined;
}

export interface Pauses {
  /** Replaces an earlier pause of the same scope. PermanentError `invalid-payload`: no reason, or an end that is past. */
  pause(request: PauseRequest): Promise<Pause>;
  /** What was in force, undefined where nothing was: a wider pause stays. */
  resume(scope: PauseScope): Promise<Pause | undefined>;
  /** Ends this pause alone: one that has replaced it since stays. False where it was not in force any more. */
  resumeOwn(pause: Pick<Pause, 'scope' | 'at'>): Promise<boolean>;
  /** Those in force, the widest first. */
  list(): Promise<Pause[]>;
  /** The widest pause in force for a job. */
  pausedBy(subject: PauseSubject): Promise<Pause | undefined>;
}

const MAX_REASON = 300;
const MAX_BY = 100;

// The fields of one hash: one command reads all. A pause that is over is dropped by the next reader.
//
// KEYS pauses  ARGV ...fields -> {now, ...values in force}; without fields all
const READ = `${NOW}${EXPECT}
expect('hash')
local found = {now()}
local fields = ARGV
if #fields == 0 then fields = redis.call('HKEYS', KEYS[1]) end
for _, field in ipairs(fields) do
  local text = redis.call('HGET', KEYS[1], field)
  if text then
    local ends = cjson.decode(text).untilMs
    if ends and ends <= found[1] then redis.call('HDEL', KEYS[1], field) else found[#found + 1] = text end
  end
end
return found
`;

// KEYS pauses  ARGV field, value as JSON, untilMs or '' -> the time; negative where untilMs is past, and nothing was done
const WRITE = `${NOW}${EXPECT}
expect('hash')
local at = now()
if ARGV[3] ~= '' and tonumber(ARGV[3]) <= at then return -at end
local pause = cjson.decode(ARGV[2])
pause.at = at
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(pause))
return at
`;

// KEYS pauses  ARGV field, when it was set -> 1 where that one ended
const END_OWN = `
local text = redis.call('HGET', KEYS[1], ARGV[1])
if not text or cjson.decode(text).at ~= tonumber(ARGV[2]) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`;

export interface PausesOptions {
  readonly redis: Redis;
  readonly keys: Pick<Keys, 'own'>;
  /** Takes secrets out of a text: a reason is shown to anybody, and somebody may have typed one into it. */
  readonly scrub?: (text: string) => string;
}

export function createPauses({ redis, keys, scrub = (text) => text }: PausesOptions): Pauses {
  const key = keys.own('pauses');
  const read = async (fields: readonly string[]): Promise<Pause[]> => {
    const [now, ...texts] = (await redis.eval(READ, 1, key, ...fields)) as [number, ...string[]];
    return texts.map((text) => toPause(text, now));
  };
  return {
    async pause({ scope, reason: given, by, untilMs }) {
      const reason = toLine(scrub(given)).slice(0, MAX_REASON);
      if (reason === '') throw new PermanentError('invalid-payload', messages.reasonMissing);
      const stored = JSON.stringify({ scope, reason, by: toLine(by).slice(0, MAX_BY), untilMs });
      const now = (await redis.eval(WRITE, 1, key, fieldOf(scope), stored, untilMs ?? '')) as number;
      if (now < 0) throw new PermanentError('invalid-payload', messages.untilPast);
      return toPause(JSON.stringify({ ...JSON.parse(stored), at: now }), now);
    },
    async resume(scope) {
      const [pause] = await read([fieldOf(scope)]);
      return (await redis.hdel(key, fieldOf(scope))) > 0 ? pause : undefined;
    },
    resumeOwn: async ({ scope, at }) => (await redis.eval(END_OWN, 1, key, fieldOf(scope), at)) === 1,
    async list() {
      return (await read([])).toSorted(
        (one, other) => breadth(one.scope) - breadth(other.scope) || one.at - other.at,
      );
    },
    async pausedBy(subject) {
      const [widest] = await read(fieldsOf(subject));
      return widest;
    },
  };
}

const breadth = ({ kind }: PauseScope): number => ['all', 'app', 'site'].indexOf(kind);

function fieldOf(scope: PauseScope): string {
  if (scope.kind === 'app') return `app:${scope.serverId}:${scope.appId}`;
  return scope.kind === 'site' ? `site:${scope.siteId}` : 'all';
}

/** The widest first. */
function fieldsOf({ serverId, appId, siteId }: PauseSubject): string[] {
  const app =
    serverId !== undefined && appId !== undefined ? [fieldOf({ kind: 'app', serverId, appId })] : [];
  return ['all', ...app, ...(siteId !== undefined ? [fieldOf({ kind: 'site', siteId })] : [])];
}

/** A reason stands in logs and tables: one line. */
const toLine = (text: string): string => text.replace(/[\s\p{Cc}]+/gu, ' ').trim();

function toPause(text: string, nowMs: number): Pause {
  const { scope, reason, by, at, untilMs } = JSON.parse(text) as Omit<Pause, 'leftMs'>;
  return { scope, reason, by, at, untilMs, leftMs: untilMs === undefined ? undefined : untilMs - nowMs };
}

/** "everything", "web application 646 of server 1903", "site 7". */
export function describeScope(scope: PauseScope): string {
  if (scope.kind === 'app') return `web application ${scope.appId} of server ${scope.serverId}`;
  return scope.kind === 'site' ? `site ${scope.siteId}` : 'everything';
}
