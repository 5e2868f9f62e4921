// One request of a route: its parts are parsed, and the handler runs within the deadline. With an
// Idempotency-Key it runs once.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { within } from '../deadline.ts';
import { byDeadline, failFast } from '../queue/fail-fast.ts';
import { redisUnavailable } from '../redis/connection.ts';
import { assertRate } from './admission.ts';
import type { Caller } from './auth.ts';
import { DOCS_CSP } from './docs-page.ts';
import { type Idempotency, isAnswer, parseIdempotencyKey } from './idempotency.ts';
import { noBodyAllowed, unknownField } from './messages.ts';
import { Refusal, refusalOf } from './problems.ts';
import type { Rates } from './rate.ts';
import { ANSWER_DEADLINE_MS, type OpenApi, type Route, type RouteParts } from './routes/route.ts';

export interface Served {
  readonly parts: RouteParts & { readonly document: OpenApi };
  readonly idempotency: Idempotency;
  readonly rates: Rates;
}

export async function handle(
  route: Route,
  served: Served,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const key = route.method === 'GET' ? undefined : parseIdempotencyKey(request.headers['idempotency-key']);
  const context = toContext(route, served, request);
  const cost = route.cost?.(context.body) ?? 1;
  if (cost > 1) assertRate(served.rates, request, cost - 1);
  const work = () => route.handler(context);
  const { status, contentType } = route.answer;
  const perform = async (): Promise<Answer> => {
    const body = await work();
    const headers = {
      'content-type': contentType ?? 'application/json; charset=utf-8',
      ...(route.location && { location: route.location(body) }),
      ...(contentType && { 'content-security-policy': DOCS_CSP }),
    };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return { status, headers, body: text, isKept: route.isKept?.(body) ?? true };
  };
  const answer = await inTime(route, served, (assertInTime) =>
    key === undefined ? perform() : performOnce(perform, key, served, request, assertInTime),
  );
  reply.headers(answer.headers);
  const { location } = answer.headers;
  if (location !== undefined) reply.header('location', `${request.prefix}${location}`);
  return reply.code(answer.status).send(answer.body);
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isKept: boolean;
}

/** Before a long request Redis must answer. Nobody waits for Redis longer than a second. */
async function inTime(
  { role, deadlineMs = ANSWER_DEADLINE_MS }: Route,
  { parts: { redis, ready } }: Served,
  work: (assertInTime: AssertInTime) => Promise<Answer>,
): Promise<Answer> {
  if (role === 'anyone') return work(() => undefined);
  if (deadlineMs > ANSWER_DEADLINE_MS) await failFast(redis, ANSWER_DEADLINE_MS, ready);
  // One deadline for all steps: nothing is started after the caller has got an error.
  const deadline = performance.now() + deadlineMs;
  const late = (): Error => redisUnavailable(undefined, deadlineMs, redis);
  const perform = async (): Promise<Answer> => {
    await ready();
    if (performance.now() >= deadline) throw late();
    return work(() => {
      if (performance.now() >= deadline) throw late();
    });
  };
  const answer = await within(byDeadline(deadline, perform), deadlineMs, undefined);
  if (answer) return answer;
  throw late();
}

/** Throws if the request's deadline is over. */
type AssertInTime = () => void;

async function performOnce(
  perform: () => Promise<Answer>,
  key: string,
  { parts: { redis }, idempotency }: Served,
  { method, url, rawBody, caller }: FastifyRequest,
  assertInTime: AssertInTime,
): Promise<Answer> {
  const request = { caller: caller?.name ?? '', key, method, url, body: rawBody };
  // A frozen Redis would run the commands later: it has to answer first.
  await failFast(redis, ANSWER_DEADLINE_MS, async () => undefined);
  const claim = await idempotency.claim(request);
  if (isAnswer(claim))
    return { ...claim, headers: { ...claim.headers, 'idempotency-replayed': 'true' }, isKept: true };
  try {
    assertInTime();
    const { isKept, ...answer } = await perform();
    // The answer is sent even if it cannot be stored.
    await (isKept ? claim.keep(answer) : claim.release()).catch(() => undefined);
    return { ...answer, isKept };
  } catch (error) {
    await claim.release().catch(() => undefined);
    throw error;
  }
}

function toContext(route: Route, { parts }: Served, request: FastifyRequest) {
  const { params, query, body, caller, prefix } = request;
  const given = body ?? undefined;
  if (!route.body && given !== undefined && !isEmpty(given))
    throw new Refusal('invalid-payload', noBodyAllowed);
  return {
    params: parse(route.params, params) ?? {},
    query: parse(route.query, query) ?? refuseAny(query as object),
    body: parse(route.body, given === undefined && route.isBodyOptional ? {} : given),
    raw: { query: query as object, body: given },
    caller: caller ?? NOBODY,
    prefix,
    parts,
  };
}

/** The caller of routes that need no token. */
const NOBODY: Caller = { name: 'nobody', role: 'read' };

const isEmpty = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && Object.keys(body).length === 0;

function parse<T>(
  schema:
    | { safeParse(input: unknown): ReturnType<Exclude<Route['body'], undefined>['safeParse']> }
    | undefined,
  input: unknown,
): T | undefined {
  if (!schema) return undefined;
  const { success, data, error } = schema.safeParse(input);
  if (success) return data as T;
  throw refusalOf([...error.issues, ...unknownKeys(schema, input)]);
}

/**
 * If a field is wrong, an unknown one may be the cause: `domian`. (Strict schemas report it on
 * their own.)
 */
function unknownKeys(schema: unknown, input: unknown): z.ZodError['issues'] {
  if (!(schema instanceof z.ZodObject) || schema.def.catchall || !isRecord(input)) return [];
  const keys = Object.keys(input).filter((key) => !Object.hasOwn(schema.shape, key));
  return keys.length > 0 ? [{ code: 'unrecognized_keys', keys, path: [], message: '', input }] : [];
}

const isRecord = (input: unknown): input is Record<string, unknown> =>
  typeof input === 'object' && input !== null && !Array.isArray(input);

function refuseAny(query: object): object {
  const errors = Object.keys(query).map((field) => ({
    field: field.slice(0, 100),
    message: unknownField,
  }));
  if (errors.length === 0) return {};
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new Refusal('invalid-payload', detail, { errors });
}
