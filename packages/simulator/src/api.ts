// One request to the API, in the order in which it may be refused: credentials, rate limit, headers, route,
// then the route's own rules. Works on plain values; sockets and faults are in exchange.ts.
import type { Credentials } from './authentication.ts';
import { refuse } from './authentication.ts';
import type { ApiVersion, Context } from './context.ts';
import { isObject } from './control-fields.ts';
import { settleOrders } from './issuance.ts';
import type { RateLimiter } from './rate-limit.ts';
import type { Reply } from './replies.ts';
import { failure, htmlPage, toWire } from './replies.ts';
import type { Match } from './routes.ts';
import { matchRoute } from './routes.ts';
import type { Settings } from './settings.ts';
import type { Variants } from './variants.ts';
import type { World } from './world.ts';

export interface ApiRequest {
  version: ApiVersion;
  method: string;
  origin: string;
  path: string;
  query: URLSearchParams;
  headers: { authorization?: string; accept?: string; contentType?: string };
  bodyText: string;
}

export interface ApiParts {
  world: World;
  variants: Variants;
  settings: Settings;
  credentials: Credentials;
  rateLimiter: RateLimiter;
  now: () => number;
}

export function answer(parts: ApiParts, request: ApiRequest): Reply {
  const { variants, rateLimiter, credentials, now } = parts;
  const stranger = refuse(request.version, request.headers.authorization, credentials);
  if (stranger !== null) return stranger;
  const reply = rateLimiter.take(now()) ?? answerKnownCaller(parts, request);
  const headers = { ...rateLimiter.headers(), ...reply.headers };
  return 'body' in reply ? { ...reply, body: toWire(reply.body, variants), headers } : { ...reply, headers };
}

function answerKnownCaller(parts: ApiParts, request: ApiRequest): Reply {
  if (!hasJsonHeaders(request, parts.variants)) return redirectToLogin();
  const match = matchRoute(request.method, request.path);
  if (match === null) return failure(404, 'Not Found.', parts.variants);
  const context = toContext(parts, request, match);
  settleOrders(context, context.now);
  return match.handle(context);
}

/** Section 1 [D] wants both headers on every request; whether a bodiless one needs both is a switch. */
function hasJsonHeaders({ headers, bodyText }: ApiRequest, variants: Variants): boolean {
  const { contentTypeOn, requestBodies } = variants;
  const accepts = (headers.accept ?? '').toLowerCase().includes('application/json');
  const isForm = requestBodies === 'form-too' && isFormEncoded(headers.contentType);
  const sends = isForm || (headers.contentType ?? '').toLowerCase().startsWith('application/json');
  const mustSend = contentTypeOn === 'every-request' || bodyText !== '';
  return accepts && (sends || !mustSend);
}

/** A client that follows it gets a page of HTML with status 200 (section 7 [C], v2 SDK). */
const redirectToLogin = (): Reply => ({
  status: 302,
  headers: { Location: '/login' },
  html: htmlPage('Redirecting to /login'),
});

function toContext(parts: ApiParts, request: ApiRequest, { parameters }: Match): Context {
  const { world, variants, settings, now } = parts;
  const { version, origin, query, headers } = request;
  const path = `/api/${version}${request.path}`;
  const body = parseBody(request.bodyText, headers.contentType);
  return { version, origin, path, parameters, query, body, now: now(), world, variants, settings };
}

const isFormEncoded = (contentType = ''): boolean =>
  contentType.toLowerCase().startsWith('application/x-www-form-urlencoded');

/** A body that is no JSON object and no form counts as empty, so that its required fields are missing: 422 [I]. */
export function parseBody(text: string, contentType?: string): Context['body'] {
  if (isFormEncoded(contentType)) return Object.fromEntries(new URLSearchParams(text));
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
