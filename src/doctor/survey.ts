// `doctor --survey`: what RunCloud's documents leave open, settled for one account by readings alone. It never writes, and stops when
// few calls remain. What comes of it is a report without values, which somebody may send in, and the simulator's switches that match.
import type { RawCall, RawCalls, RawReply } from '../runcloud/raw-calls.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { judgeLists } from './list-switches.ts';
import { type Replies, type Row, rowsOf } from './replies.ts';
import { isRow, type Shape, toShape } from './shape.ts';
import { judgeMode, judgeSsl } from './ssl-switches.ts';

/** One thing that is asked. `{…}` in the path is an id, which no report holds. */
export interface Question {
  readonly name: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly isBare?: boolean;
  /** Which domain it is about, where it is about one; it is left out where there is none. */
  readonly of?: 'first' | 'with-certificate' | 'without-certificate' | 'unknown';
}

const SERVER = '/servers/{server}';
const APP = `${SERVER}/webapps/{webapp}`;
const DOMAIN = `${APP}/domains/{domain}`;
/** No domain of anybody's is found by it. */
const NOBODY = 'zzz-survey-of-nobody-zzz';
/** No id has so many digits. */
const UNKNOWN_ID = 999_999_999;

export const QUESTIONS: readonly Question[] = [
  { name: 'ping', path: '/ping' },
  { name: 'ping-bare', path: '/ping', isBare: true },
  { name: 'get-server', path: SERVER },
  { name: 'get-webapp', path: APP },
  { name: 'list-domains', path: `${APP}/domains` },
  { name: 'list-next', path: `${APP}/domains`, query: { page: 2 } },
  { name: 'list-one', path: `${APP}/domains`, query: { perPage: 1 } },
  { name: 'list-over', path: `${APP}/domains`, query: { perPage: 41 } },
  { name: 'list-search', path: `${APP}/domains`, query: { search: NOBODY } },
  { name: 'get-domain', path: DOMAIN, of: 'first' },
  { name: 'get-domain-dns', path: `${DOMAIN}/dns`, of: 'first' },
  { name: 'unknown-domain', path: DOMAIN, of: 'unknown' },
  { name: 'get-advanced-ssl', path: `${APP}/ssl/advanced` },
  { name: 'get-ssl', path: `${APP}/ssl` },
  { name: 'get-ssl-page', path: `${APP}/ssl`, query: { page: 1, perPage: 1 } },
  { name: 'get-domain-ssl', path: `${DOMAIN}/ssl`, of: 'with-certificate' },
  { name: 'get-domain-ssl-none', path: `${DOMAIN}/ssl`, of: 'without-certificate' },
  { name: 'log', path: `${APP}/log` },
  { name: 'ssl-protocols', path: '/static/ssl/protocols', query: { webServer: 'nginx' } },
];

/** What one call was answered, without a value of it. */
export interface Observation {
  readonly name: string;
  readonly request: string;
  /** Undefined where no whole reply came. */
  readonly status: number | undefined;
  readonly body: RawReply['body']['kind'] | undefined;
  readonly rateLimitHeaders: boolean;
  readonly retryAfter: 'none' | 'seconds' | 'other';
  readonly shape: Shape;
}

export interface Survey {
  readonly observations: readonly Observation[];
  /** The simulator's switches that answer as RunCloud did. */
  readonly switches: Readonly<Record<string, string>>;
  /** Why it ended before its end. */
  readonly stopped: string | undefined;
  /** RunCloud answered the ping: there is something to report. */
  readonly isLetIn: boolean;
}

export interface SurveyPorts {
  readonly calls: Pick<RawCalls, 'send'>;
  readonly version: 'v2' | 'v3';
}

/** So many calls stay for the workers. */
const MIN_REMAINING = 20;

const WHICH = {
  'with-certificate': 'a domain with a certificate',
  'without-certificate': 'a domain without one',
  unknown: 'a domain that does not exist',
} as const;

/** `GET /servers/{server}/webapps/{webapp}/domains?perPage=1`, as it stands in the report. */
export function describeQuestion({ path, query = {}, isBare, of }: Question): string {
  const asked = Object.entries(query).map(([key, value]) => `${key}=${value}`);
  const search = asked.length > 0 ? `?${asked.join('&')}` : '';
  const which = of && of !== 'first' ? ` (${WHICH[of]})` : '';
  return `GET ${path}${search}${which}${isBare ? ' (without Content-Type)' : ''}`;
}

export async function survey(app: WebApplication, ports: SurveyPorts): Promise<Survey> {
  const replies: Record<string, RawReply | undefined> = {};
  const observations: Observation[] = [];
  let stopped: string | undefined;
  for (const question of QUESTIONS) {
    const call = toCall(question, app, replies);
    if (call === undefined) continue;
    const request = describeQuestion(question);
    const reply = await ports.calls.send(call);
    replies[question.name] = reply;
    observations.push(observe(question.name, request, reply));
    stopped = whyStop(question, reply);
    if (stopped) break;
  }
  // Who was not let in has seen nothing of the account.
  const isLetIn = replies.ping?.status === 200;
  const switches = isLetIn ? { ...judgeLists(replies), ...judgeSsl(replies, ports.version) } : {};
  return { observations, switches, stopped, isLetIn };
}

function whyStop({ name }: Question, reply: RawReply | undefined): string | undefined {
  if (name === 'ping' && reply?.status !== 200)
    return reply
      ? `RunCloud answered the ping with HTTP ${reply.status}`
      : 'RunCloud did not answer the ping';
  if (reply?.status === 429) return 'RunCloud asks us to slow down (HTTP 429)';
  if (reply?.remaining === undefined || reply.remaining >= MIN_REMAINING) return undefined;
  return `RunCloud says that ${reply.remaining} calls remain, and they are left to the workers`;
}

/** Undefined where there is no such domain. */
function toCall(
  { path, query, isBare, of }: Question,
  app: WebApplication,
  replies: Replies,
): RawCall | undefined {
  const domain = of && findDomain(of, replies);
  if (of && domain === undefined) return undefined;
  const ids = { server: app.serverId, webapp: app.appId, domain };
  const real = path.replaceAll(/\{(server|webapp|domain)\}/g, (_, key: keyof typeof ids) => String(ids[key]));
  return { method: 'GET', path: real, query, isBare };
}

function findDomain(of: NonNullable<Question['of']>, replies: Replies): string | number | undefined {
  if (of === 'unknown') return UNKNOWN_ID;
  const listed = rowsOf(replies['list-domains']) ?? [];
  const [first, last] = [idOf(listed[0]), idOf(listed.at(-1))];
  if (of === 'first') return first;
  const rows = rowsOf(replies['get-ssl'])?.filter((row) => 'ssl' in row) ?? [];
  if (of === 'with-certificate') return idOf(rows.find(({ ssl }) => isRow(ssl))) ?? first;
  if (judgeMode(replies) !== 'advanced') return undefined;
  if (rows.length > 0) return idOf(rows.find(({ ssl }) => ssl === null));
  // Nobody says which domain has none: the newest is the likeliest.
  return last === first ? undefined : last;
}

const idOf = (row: Row | undefined): string | number | undefined =>
  /^\d{1,15}$/.test(String(row?.id)) ? (row?.id as string | number) : undefined;

export function observe(name: string, request: string, reply: RawReply | undefined): Observation {
  return {
    name,
    request,
    status: reply?.status,
    body: reply?.body.kind,
    rateLimitHeaders: reply?.remaining !== undefined,
    retryAfter:
      reply?.retryAfter === undefined ? 'none' : /^\d+$/.test(reply.retryAfter) ? 'seconds' : 'other',
    shape: reply?.body.kind === 'json' ? toShape(reply.body.value) : {},
  };
}
