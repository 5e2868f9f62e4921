// What a route is: one entry says path, role, schemas and handler, and everything else is made from it: validation, types, the
// OpenAPI document, the list in docs/reference/http-api.md, the security tests.
import type { Redis } from 'ioredis';
import type { z } from 'zod';
import type { Audit } from '../../audit/audit.ts';
import type { Deliveries } from '../../callbacks/deliveries.ts';
import type { TargetDefaults } from '../../jobs/catalog.ts';
import type { RequestQueue } from '../../queue/enqueue.ts';
import type { Operator } from '../../queue/operator.ts';
import type { Pauses } from '../../queue/pauses.ts';
import type { Caller, RouteRole } from '../auth.ts';
import type { OpenRequests } from '../open-requests.ts';
import type { ProblemCode } from '../problems.ts';

/** What the routes steer and show; they hold no truth of their own. */
export interface RouteParts {
  readonly requests: RequestQueue;
  readonly operator: Operator;
  readonly defaults: TargetDefaults;
  /** Resolves once Redis takes commands. Throws CodedError `redis-unavailable` where it does not. */
  readonly ready: () => Promise<unknown>;
  /** For reading the list of all domains. */
  readonly redis: Redis;
  readonly pauses: Pick<Pauses, 'pause' | 'resume' | 'list'>;
  readonly audit: Audit;
  readonly open: OpenRequests;
  /** Undefined where no callbacks are configured. */
  readonly callbacks?: Deliveries | undefined;
}

export interface Context<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** As they came, with fields that no schema knows. */
  readonly raw: { readonly query: object; readonly body: unknown };
  readonly caller: Caller;
  /** Goes in front of every path that the client is told. */
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
  /** True where the body may be left out. */
  readonly isBodyOptional?: boolean;
  /** True where the body may also be JSON values, one a line. */
  readonly takesLines?: boolean;
  readonly answer: {
    readonly status: 200 | 202;
    readonly description: string;
    readonly schema: A;
    /** Default: JSON. */
    readonly contentType?: string;
  };
  /** What it refuses besides what every route of its kind does. */
  readonly refusals?: readonly ProblemCode[];
  /** Default: ANSWER_DEADLINE_MS. Longer for what goes through many domains. */
  readonly deadlineMs?: number;
  /** False where the answer is not kept under an Idempotency-Key: nothing was done, or parts of it are to be sent again. Default: true. */
  readonly isKept?: (answer: z.output<A>) => boolean;
  /** As how many requests it counts against the token's rate; default: as one. */
  readonly cost?: (body: z.output<B>) => number;
  handler(context: Context<z.output<P>, z.output<Q>, z.output<B>>): Promise<z.output<A>>;
  /** Where to look next: the Location header. */
  readonly location?: (answer: z.output<A>) => string;
}

/** Any route of the table. */
export type Route = RouteOf<ObjectSchema, ObjectSchema, z.ZodType, z.ZodType>;

/** Has the handler's types follow from the schemas. */
export const route = <
  P extends ObjectSchema = z.ZodType<Record<never, never>>,
  Q extends ObjectSchema = z.ZodType<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodType,
>(
  entry: RouteOf<P, Q, B, A>,
): Route => entry as unknown as Route;

/** A request must be answered, or refused, within a second. */
export const ANSWER_DEADLINE_MS = 900;
export const LONG_DEADLINE_MS = 30_000;
