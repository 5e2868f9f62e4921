// One entry per route: path, role, schemas and handler. From it follow validation, types, the
// OpenAPI document and the security tests. A test compares docs/reference/http-api.md with it.
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import type { Audit } from '../../audit/audit.ts';
import type { Deliveries } from '../../callbacks/deliveries.ts';
import type { TargetDefaults } from '../../jobs/catalog.ts';
import type { RequestQueue } from '../../queue/enqueue.ts';
import type { Operator } from '../../queue/operator.ts';
import type { Pauses } from '../../queue/pauses.ts';
import type { Caller, RouteRole } from '../auth.ts';
import type { ProblemCode } from '../http-codes.ts';
import type { OpenRequests } from '../open-requests.ts';

/** What the routes use. They have no state of their own. */
export interface RouteParts {
  readonly requests: RequestQueue;
  readonly operator: Operator;
  readonly defaults: TargetDefaults;
  /** Resolves once Redis accepts commands. Throws CodedError `redis-unavailable` if it does not. */
  readonly ready: () => Promise<unknown>;
  /** To read the list of all domains. */
  readonly redis: Redis;
  readonly pauses: Pick<Pauses, 'pause' | 'resume' | 'list'>;
  readonly audit: Audit;
  readonly open: OpenRequests;
  /** Undefined: no callbacks are configured. */
  readonly callbacks?: Deliveries | undefined;
}

export interface Context<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** As sent, with unknown fields. */
  readonly raw: { readonly query: object; readonly body: unknown };
  readonly caller: Caller;
  /** Goes in front of every path in an answer. */
  readonly prefix: string;
  readonly parts: RouteParts & { readonly document: OpenApi };
}

/** The OpenAPI document of all routes: plain JSON. */
export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> } & Readonly<
    Record<string, object>
  >;
  readonly [more: string]: unknown;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly 'x-role': RouteRole;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
  readonly [more: string]: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: object;
}

export type Content = Readonly<Record<string, { readonly schema: object }>>;

export type Method = 'GET' | 'POST' | 'DELETE';

type ObjectSchema = z.ZodType<object>;

export interface RouteOf<
  P extends ObjectSchema,
  Q extends ObjectSchema,
  B extends z.ZodType,
  A extends z.ZodType,
> {
  /** The operation's name in the OpenAPI document. */
  readonly id: string;
  readonly method: Method;
  /** As OpenAPI writes it: `/v1/domains/{domain}`. */
  readonly path: string;
  readonly role: RouteRole;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** True: the body may be left out. */
  readonly isBodyOptional?: boolean;
  /** True: the body may also be JSON values, one per line. */
  readonly takesLines?: boolean;
  readonly answer: {
    readonly status: 200 | 202;
    readonly description: string;
    readonly schema: A;
    /** Default: JSON. */
    readonly contentType?: string;
  };
  /** Codes besides those of every route of its kind. */
  readonly refusals?: readonly ProblemCode[];
  /** Default: ANSWER_DEADLINE_MS. Longer for many domains at once. */
  readonly deadlineMs?: number;
  /**
   * False: the answer is not stored under an Idempotency-Key, since nothing was done or parts have
   * to be sent again. Default: true.
   */
  readonly isKept?: (answer: z.output<A>) => boolean;
  /** How many requests it counts as, for the token's rate limit. Default: 1. */
  readonly cost?: (body: z.output<B>) => number;
  handler(context: Context<z.output<P>, z.output<Q>, z.output<B>>): Promise<z.output<A>>;
  /** The Location header. */
  readonly location?: (answer: z.output<A>) => string;
}

/** Any route of the table. */
export type Route = RouteOf<ObjectSchema, ObjectSchema, z.ZodType, z.ZodType>;

/** Infers the handler's types from the schemas. */
export const route = <
  P extends ObjectSchema = z.ZodType<Record<never, never>>,
  Q extends ObjectSchema = z.ZodType<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodType,
>(
  entry: RouteOf<P, Q, B, A>,
): Route => entry as unknown as Route;

/** Every request gets an answer or an error within a second. */
export const ANSWER_DEADLINE_MS = 900;
export const LONG_DEADLINE_MS = 30_000;
