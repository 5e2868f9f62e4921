// RunCloud's JSON, read leniently: only the fields in use, flat or under `data`, 0/1 or booleans.
// Pure. Every schema drops all other fields, so private keys and webhook keys end here.
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import type { AttachedDomain, ServerFacts, WebApplicationFacts } from './runcloud.ts';

type Row = Record<string, unknown>;
export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const digits = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const count = z.union([z.int().nonnegative(), digits]);
export const idSchema = count;
/** Text for people only. Another type counts as missing. */
export const textSchema = z
  .union([z.string(), z.number().transform(String)])
  .optional()
  .catch(undefined);

// [D] runcloud.io/docs/api/v3/api-8617111: `www` is sent as a boolean and comes back as 0 or 1.
export const flagSchema = z
  .union([
    z.boolean(),
    z.literal([1, '1', 'true']).transform(() => true),
    z.literal([0, '0', 'false']).transform(() => false),
  ])
  .optional()
  .catch(undefined);

/** Lower case, A-labels, no trailing dot. No document says how RunCloud returns an IDN. */
export function toDomainName(name: string): string {
  const bare = name.trim().toLowerCase().replace(/\.$/, '');
  return /^[\x20-\x7e]*$/.test(bare) ? bare : domainToASCII(bare) || bare;
}

const nameSchema = z.string().min(1).transform(toDomainName);

// [D] runcloud.io/docs/api/v3/api-8617111; v2 is only known to send id and name ([C]
// updaterbot/runcloud-sdk).
const domainSchema = z
  .object({
    id: idSchema,
    name: nameSchema,
    type: z.enum(['alias', 'primary', 'redirect']).optional().catch(undefined),
    www: flagSchema,
    redirection: z.enum(['none', 'www', 'non-www']).optional().catch(undefined),
  })
  .transform(
    ({ id, name, type, www, redirection }): AttachedDomain => ({ id, name, type, www, redirection }),
  );

// [D] runcloud.io/docs/api/v2/api-9849712: `ipAddress` is camelCase, one IPv4 address.
const serverSchema = z
  .object({ id: idSchema, name: textSchema, ipAddress: textSchema, online: flagSchema })
  .transform(({ id, name, ipAddress, online }): ServerFacts => ({ id, name, ipAddress, online }));

// [D] runcloud.io/docs/api/v3/api-8617094; its pullKey1 and pullKey2 are webhook secrets.
const appSchema = z
  .object({ id: idSchema, name: textSchema })
  .transform(({ id, name }): WebApplicationFacts => ({ id, name }));

// [C] danni140c/ansible-collection-runcloud reads `advancedSSL`; a null there can only mean "not
// switched on".
const modeSchema = z.object({
  advancedSSL: z.preprocess((flag) => (flag === null ? false : flag), flagSchema),
  autoSSL: flagSchema,
});

// A deleted domain may be named by either: [D] runcloud.io/docs/api/v3/api-8617116 sends the whole
// object.
const namedSchema = z.object({
  id: idSchema.optional().catch(undefined),
  name: nameSchema.optional().catch(undefined),
});

/** The object of a reply, flat or under `data`. */
export function unwrap(body: unknown): unknown {
  return isRow(body) && isRow(body.data) ? body.data : body;
}

const read = <T>(schema: z.ZodType<T>, body: unknown): T | undefined => schema.safeParse(unwrap(body)).data;

export const parseDomain = (body: unknown): AttachedDomain | undefined => read(domainSchema, body);
export const parseServer = (body: unknown): ServerFacts | undefined => read(serverSchema, body);
export const parseWebApplication = (body: unknown): WebApplicationFacts | undefined => read(appSchema, body);
export const parseSslMode = (
  body: unknown,
): { advanced: boolean | undefined; autoSsl: boolean } | undefined => {
  const mode = read(modeSchema, body);
  return mode && { advanced: mode.advancedSSL, autoSsl: mode.autoSSL ?? false };
};
export const parseNamed = (body: unknown): { id?: number | undefined; name?: string | undefined } =>
  read(namedSchema, body) ?? {};

/**
 * Whether the reply of a write is a message: "Domain settings have been successfully updated." and
 * the like.
 */
export const hasMessage = (body: unknown): boolean => isRow(body) && typeof body.message === 'string';

/**
 * The rows of a list: bare, under `data`, or in a paginator under `data`. Undefined: there is no
 * list.
 */
export function toRows(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body;
  if (!isRow(body)) return undefined;
  return Array.isArray(body.data) ? body.data : isRow(body.data) ? toRows(body.data) : undefined;
}

export interface PageFacts {
  readonly total: number | undefined;
  readonly lastPage: number | undefined;
}

const countSchema = count.optional().catch(undefined);
const metaSchema = z.object({
  total: countSchema,
  total_pages: countSchema,
  totalPages: countSchema,
  last_page: countSchema,
  lastPage: countSchema,
});

// Which shape v3 sends today is disputed: `meta.pagination.total_pages` ([D]
// runcloud.io/docs/api/v3/api-8617112), `meta.lastPage` (ops notes), Laravel's `meta.last_page`, or
// Laravel's paginator without `meta`.
export function toPageFacts(body: unknown): PageFacts {
  if (!isRow(body)) return { total: undefined, lastPage: undefined };
  const meta = isRow(body.meta) ? body.meta : {};
  const places = [meta.pagination, meta, body, body.data];
  const found = places.flatMap((place) => metaSchema.safeParse(place).data ?? []);
  const lastPages = found.map((m) => m.total_pages ?? m.totalPages ?? m.last_page ?? m.lastPage);
  return {
    total: found.find((m) => m.total !== undefined)?.total,
    lastPage: lastPages.find((page) => page !== undefined),
  };
}
