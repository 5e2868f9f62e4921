// `doctor --survey`: finds out for one account what RunCloud's documents leave open. It only reads,
// and stops when few calls remain. Results: a report without values, to be sent in, and the
// matching switches of the simulator.
import type { RawCall, RawCalls, RawReply } from '../runcloud/raw-calls.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import { judgeLists } from './list-switches.ts';
import { surveyEnds } from './messages.ts';
import { type Replies, type Row, rowsOf } from './replies.ts';
import { isRow, type Shape, toShape } from './shape.ts';
import { judgeMode, judgeSsl } from './ssl-switches.ts';

/** One request. `{…}` in the path is an id, which no report has. */
export interface SurveyRequest {
  readonly name: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly isBare?: boolean;
  /** The domain of the request, if it needs one. Without such a domain it is skipped. */
  readonly of?: 'first' | 'with-certificate' | 'without-certificate' | 'unknown';
}

const SERVER = '/servers/{server}';
const APP = `${SERVER}/webapps/{webapp}`;
const DOMAIN = `${APP}/domains/{domain}`;
/** No domain matches it. */
const NOBODY = 'zzz-survey-of-nobody-zzz';
/** No id has so many digits. */
const UNKNOWN_ID = 999_999_999;

export const REQUESTS: readonly SurveyRequest[] = [
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

/** The answer to one call, without its values. */
export interface Observation {
  readonly name: string;
  readonly request: string;
  /** Undefined: no whole reply came. */
  readonly status: number | undefined;
  readonly body: RawReply['body']['kind'] | undefined;
  readonly rateLimitHeaders: boolean;
  readonly retryAfter: 'none' | 'seconds' | 'other';
  readonly shape: Shape;
}

export type StopCode = 'no-answer' | 'refused' | 'rate-limited' | 'few-calls';

export interface Survey {
  readonly observations: readonly Observation[];
  /** The switches with which the simulator answers as RunCloud did. */
  readonly switches: Readonly<Record<string, string>>;
  /** Why it ended early. */
  readonly stopped: string | undefined;
  readonly stopCode: StopCode | undefined;
  /** RunCloud accepted the credentials: there is something to report. */
  readonly isAuthorized: boolean;
}

export interface SurveyPorts {
  readonly calls: Pick<RawCalls, 'send'>;
  readonly version: 'v2' | 'v3';
}

/** So many calls are left for the workers. */
const MIN_REMAINING = 20;

const WHICH = {
  'with-certificate': 'a domain with a certificate',
  'without-certificate': 'a domain without one',
  unknown: 'a domain that does not exist',
} as const;

/** `GET /servers/{server}/webapps/{webapp}/domains?perPage=1`, as in the report. */
export function describeRequest({ path, query = {}, isBare, of }: SurveyRequest): string {
  const parameters = Object.entries(query).map(([key, value]) => `${key}=${value}`);
  const search = parameters.length > 0 ? `?${parameters.join('&')}` : '';
  const which = of && of !== 'first' ? ` (${WHICH[of]})` : '';
  return `GET ${path}${search}${which}${isBare ? ' (without Content-Type)' : ''}`;
}

export async function survey(app: WebApplication, ports: SurveyPorts): Promise<Survey> {
  const replies: Record<string, RawReply | undefined> = {};
  const observations: Observation[] = [];
  let end: End | undefined;
  for (const request of REQUESTS) {
    const call = toCall(request, app, replies);
    if (call === undefined) continue;
    const reply = await ports.calls.send(call);
    replies[request.name] = reply;
    observations.push(observe(request.name, describeRequest(request), reply));
    end = findEnd(request, reply);
    if (end) break;
  }
  // Without the right credentials the replies say nothing about the account.
  const isAuthorized = replies.ping?.status === 200;
  const switches = isAuthorized ? { ...judgeLists(replies), ...judgeSsl(replies, ports.version) } : {};
  return { observations, switches, stopped: end?.sentence, stopCode: end?.code, isAuthorized };
}

interface End {
  readonly code: StopCode;
  readonly sentence: string;
}

function findEnd({ name }: SurveyRequest, reply: RawReply | undefined): End | undefined {
  if (name === 'ping' && reply === undefined) return { code: 'no-answer', sentence: surveyEnds.noAnswer };
  if (name === 'ping' && reply && reply.status !== 200)
    return { code: 'refused', sentence: surveyEnds.refused(reply.status) };
  if (reply?.status === 429) return { code: 'rate-limited', sentence: surveyEnds.rateLimited };
  if (reply?.remaining === undefined || reply.remaining >= MIN_REMAINING) return undefined;
  return { code: 'few-calls', sentence: surveyEnds.fewCalls(reply.remaining) };
}

/** Undefined: there is no such domain. */
function toCall(
  { path, query, isBare, of }: SurveyRequest,
  app: WebApplication,
  replies: Replies,
): RawCall | undefined {
  const domain = of && findDomain(of, replies);
  if (of && domain === undefined) return undefined;
  const ids = { server: app.serverId, webapp: app.appId, domain };
  const real = path.replaceAll(/\{(server|webapp|domain)\}/g, (_, key: keyof typeof ids) => String(ids[key]));
  return { method: 'GET', path: real, query, isBare };
}

function findDomain(of: NonNullable<SurveyRequest['of']>, replies: Replies): string | number | undefined {
  if (of === 'unknown') return UNKNOWN_ID;
  const listed = rowsOf(replies['list-domains']) ?? [];
  const [first, last] = [idOf(listed[0]), idOf(listed.at(-1))];
  if (of === 'first') return first;
  const rows = rowsOf(replies['get-ssl'])?.filter((row) => 'ssl' in row) ?? [];
  if (of === 'with-certificate') return idOf(rows.find(({ ssl }) => isRow(ssl))) ?? first;
  if (judgeMode(replies) !== 'advanced') return undefined;
  if (rows.length > 0) return idOf(rows.find(({ ssl }) => ssl === null));
  // The newest domain most likely has none.
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
