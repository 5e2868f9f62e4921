// The OpenAPI 3.1 document, made from the table of routes by zod's own JSON Schema. Pure.
import { z } from 'zod';
import { domainRecord, domainSummary, jobRecord } from '../api-records/domains.ts';
import { pauseRecord } from '../api-records/operations.ts';
import { httpCodes, type ProblemCode, statusOf } from './http-codes.ts';
import { problemDocument } from './problems.ts';
import { auditPage } from './routes/audit.ts';
import { batchResult } from './routes/batch.ts';
import { deliveryPage, replayReceipt } from './routes/callbacks.ts';
import { redeployReceipt } from './routes/certificates.ts';
import { addDomain, receipt } from './routes/domains.ts';
import { retriesResult, retryReceipt } from './routes/jobs.ts';
import { domainPage } from './routes/list.ts';
import type { Content, OpenApi, Operation, Parameter, Route } from './routes/route.ts';

const named: Readonly<Record<string, z.ZodType>> = {
  Problem: problemDocument,
  Receipt: receipt,
  Domain: domainRecord,
  DomainSummary: domainSummary,
  DomainPage: domainPage,
  BatchResult: batchResult,
  RedeployReceipt: redeployReceipt,
  Job: jobRecord,
  RetryReceipt: retryReceipt,
  RetriesResult: retriesResult,
  Pause: pauseRecord,
  AuditPage: auditPage,
  DeliveryPage: deliveryPage,
  ReplayReceipt: replayReceipt,
};

type JsonSchema = Record<string, unknown>;

const REF = '#/components/schemas/';

/** Our tables name types in `accepts`. A field that is unknown to zod gets its type from there. */
function tidy(schema: JsonSchema): void {
  const { accepts } = schema;
  delete schema.accepts;
  if (accepts === 'text' && !schema.type && !schema.anyOf) schema.type = 'string';
}

const toSchema = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => tidy(jsonSchema as JsonSchema),
  }) as JsonSchema;
  return json;
};

/** Answers may get new fields: clients must ignore the ones that they do not know. */
function open({ $id: _, $schema: __, ...schema }: JsonSchema): JsonSchema {
  return JSON.parse(
    JSON.stringify(schema, (key, value) =>
      key === 'additionalProperties' && value === false ? undefined : value,
    ),
  ) as JsonSchema;
}

function toComponents(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'output', uri: (id) => `${REF}${id}` });
  const answers = Object.entries(schemas).map(([id, schema]) => [
    id,
    { ...describe(named[id]), ...open(schema as JsonSchema) },
  ]);
  const lines = { type: 'array', maxItems: 1000, items: { $ref: `${REF}AddDomain` } };
  return { ...Object.fromEntries(answers), AddDomain: toSchema(addDomain, 'input'), AddDomains: lines };
}

const describe = (schema: z.ZodType | undefined): JsonSchema => {
  const description = schema?.meta()?.description;
  return description === undefined ? {} : { description };
};

const refTo = (schema: z.ZodType): JsonSchema => {
  const name = Object.keys(named).find((id) => named[id] === schema);
  return name === undefined ? refsIn(schema) : { $ref: `${REF}${name}` };
};

/** A small answer without a name, with references to the named schemas in it. */
function refsIn(schema: z.ZodType): JsonSchema {
  const registry = z.registry<{ id: string }>();
  for (const [id, known] of Object.entries(named)) registry.add(known, { id });
  registry.add(schema, { id: 'it' });
  const { schemas } = z.toJSONSchema(registry, { io: 'output', uri: (id) => `${REF}${id}` });
  return open(schemas.it as JsonSchema);
}

function toParameters(route: Route): Parameter[] {
  const key: Parameter = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'The same key within 24 hours gets the same answer, and nothing runs twice',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
  };
  return [
    ...parametersIn('path', route.params),
    ...parametersIn('query', route.query),
    ...(route.method === 'GET' ? [] : [key]),
  ];
}

function parametersIn(where: 'path' | 'query', schema: z.ZodType | undefined): Parameter[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = toSchema(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(typeof description === 'string' && { description }),
    schema: Object.keys(rest).length > 0 ? rest : { type: 'string' },
  }));
}

function toRequestBody({ body, takesLines, isBodyOptional = false }: Route): Operation['requestBody'] {
  if (!body) return undefined;
  if (takesLines) {
    const lines = { type: 'string', description: 'One JSON object per line, each an AddDomain' };
    return {
      required: true,
      content: {
        'application/json': { schema: { $ref: `${REF}AddDomains` } },
        'application/x-ndjson': { schema: lines },
      },
    };
  }
  const schema = body === addDomain ? { $ref: `${REF}AddDomain` } : toSchema(body, 'input');
  return { required: !isBodyOptional, content: { 'application/json': { schema } } };
}

/** Every code of a route's refusals; the security tests use it too. */
export function refusalsOf({ method, role, body, refusals = [] }: Route): ProblemCode[] {
  const isOpen = role === 'anyone';
  return [
    'bad-request',
    'invalid-payload',
    'too-many-requests',
    'unexpected',
    ...(isOpen ? [] : (['unauthorized', 'forbidden', 'redis-unavailable', 'redis-no-permission'] as const)),
    ...(method === 'GET'
      ? []
      : ([
          'cross-site',
          'idempotency-in-flight',
          'idempotency-mismatch',
          'idempotency-full',
          'unsupported-media-type',
        ] as const)),
    ...(body ? (['payload-too-large'] as const) : []),
    ...refusals,
  ];
}

function toResponses(route: Route): Operation['responses'] {
  const { status, description, schema, contentType } = route.answer;
  const content: Content = contentType
    ? { 'text/html': { schema: { type: 'string' } } }
    : { 'application/json': { schema: refTo(schema) } };
  const responses: Record<string, { description: string; content?: Content }> = {
    [status]: { description, content },
  };
  const byStatus = Map.groupBy(new Set(refusalsOf(route)), statusOf);
  for (const [refused, codes] of [...byStatus].toSorted(([one], [other]) => one - other))
    responses[refused] = {
      description: codes.map((code) => `\`${code}\``).join(', '),
      content: { 'application/problem+json': { schema: { $ref: `${REF}Problem` } } },
    };
  return responses;
}

function toOperation(route: Route): Operation {
  const { id, summary, description, role } = route;
  const parameters = toParameters(route);
  const requestBody = toRequestBody(route);
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    'x-role': role,
    ...(role === 'anyone' && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: toResponses(route),
  };
}

const DESCRIPTION = `Add and remove domains, and get their status. Errors are problem documents (RFC 9457) with a code and a fix. Codes of HTTP: ${Object.keys(httpCodes).join(', ')}.`;

export function toOpenApi(routes: readonly Route[], version: string): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: toOperation(route) };
  return {
    openapi: '3.1.0',
    info: { title: 'runcloud-domains', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: toComponents(),
    },
  };
}
