// Finds a certificate in every shape that RunCloud sends. Pure. Never reads the key pair beside it.
import { z } from 'zod';
import type { Certificate } from './runcloud.ts';
import { flagSchema, idSchema, isRow, textSchema, toDomainName, toRows, unwrap } from './schemas.ts';

/** A row of v3's `GET /ssl`: a domain, and its certificate if it has one. */
export interface CertificateRow {
  readonly domainId: number | undefined;
  readonly domainName: string | undefined;
  readonly certificate: Certificate | undefined;
}

export type CertificateReply =
  | { readonly kind: 'one'; readonly certificate: Certificate }
  | { readonly kind: 'rows'; readonly rows: readonly CertificateRow[] }
  | { readonly kind: 'none' }
  /** JSON, but neither a certificate nor "there is none". */
  | { readonly kind: 'unclear' };

const optionalId = idSchema.optional().catch(undefined);

// [C] v2 SDK src/Resources/SSL.php lists id, method, privateKey, certificate, validUntil, …,
// api_id, ssl_protocol_id; v3's rows have fewer [F]. What is sent is sslProtocolId [L]; it may come
// back in either spelling.
const certificateSchema = z
  .object({
    id: idSchema,
    method: textSchema,
    validUntil: textSchema,
    authorizationMethod: textSchema,
    api_id: optionalId,
    enableHttp: flagSchema,
    enableHsts: flagSchema,
    ssl_protocol_id: optionalId,
    sslProtocolId: optionalId,
  })
  .transform(
    ({ id, method, validUntil, api_id: apiId, ssl_protocol_id: protocol, ...rest }): Certificate => ({
      ...{ id, method, validUntil, apiId },
      authorizationMethod: rest.authorizationMethod,
      enableHttp: rest.enableHttp,
      enableHsts: rest.enableHsts,
      sslProtocolId: rest.sslProtocolId ?? protocol,
    }),
  );

const rowSchema = z
  .object({
    id: idSchema.optional().catch(undefined),
    name: textSchema,
    ssl: z.unknown().optional(),
  })
  .transform(({ id, name, ssl }) => ({ domainId: id, domainName: name && toDomainName(name), ssl }));

/**
 * v2's `{"message":"SSL not installed!"}` ([C] ansible-collection-runcloud); its status is not
 * documented.
 */
export const saysNotInstalled = (text: string | undefined): boolean => /\bnot installed\b/i.test(text ?? '');

const SSL = /\b(ssl|tls|https|certificates?)\b/i;
const ABSENT = /\b(no|not|none|without|missing|disabled|(?:is|does|has|was)n['’]?t)\b/i;
/** A passing fault, which says nothing about SSL. */
const PASSING =
  /\b(offline|unreachable|unavailable|down|busy|time(?:d|s)? ?out|try again|later|maintenance|progress|connect\w*|server)\b/i;

/** The text of a refusal: there is no SSL, or no advanced SSL. No document has these texts. */
export const saysNoSsl = (text: string): boolean =>
  SSL.test(text) && ABSENT.test(text) && !PASSING.test(text);

const parseCertificate = (value: unknown): Certificate | undefined => certificateSchema.safeParse(value).data;

function toRow(value: unknown): CertificateRow {
  const row = rowSchema.safeParse(value).data;
  return {
    domainId: row?.domainId,
    domainName: row?.domainName,
    certificate: parseCertificate(row?.ssl),
  };
}

const toOne = (value: unknown): CertificateReply => {
  const certificate = parseCertificate(value);
  return certificate ? { kind: 'one', certificate } : { kind: 'unclear' };
};

function fromObject(value: Record<string, unknown>): CertificateReply {
  // A single domain row: the outer id is the domain's, never the certificate's.
  if ('ssl' in value) return value.ssl === null ? { kind: 'none' } : toOne(value.ssl);
  // `{}` in the documents is a reply without a description: [D]
  // runcloud.io/docs/api/v3/api-8811386.
  if (Object.keys(value).length === 0) return { kind: 'none' };
  if (typeof value.message === 'string' && saysNotInstalled(value.message)) return { kind: 'none' };
  return toOne(value);
}

/**
 * The shapes of `GET …/ssl`: v2 flat ([C] v2 SDK), v3 one row per domain with `ssl` nested ([F] a
 * TypeScript client that was corrected against live replies), v3 flat ([C]
 * runcloud-server-management-mcp), each also under `data`.
 */
export function parseCertificateReply(body: unknown): CertificateReply {
  const rows = toRows(body);
  if (rows) return { kind: 'rows', rows: rows.map(toRow) };
  if (body === undefined || body === null) return { kind: 'none' };
  if (isRow(body) && body.data === null) return { kind: 'none' };
  const value = unwrap(body);
  return isRow(value) ? fromObject(value) : { kind: 'unclear' };
}

/** The web application's one certificate, by the rows. */
export type SharedCertificate =
  | { readonly kind: 'found'; readonly certificate: Certificate }
  | { readonly kind: 'none' }
  /**
   * Only one row has it. In advanced mode that is the certificate of one domain. Further rows may
   * decide.
   */
  | { readonly kind: 'unsure'; readonly certificate: Certificate }
  /**
   * The rows have different certificates: the web application is in advanced mode, whatever
   * ssl/advanced answered.
   */
  | { readonly kind: 'advanced' };

/** Basic SSL has one certificate for the web application, so all rows have the same one. */
export function toSharedCertificate(rows: readonly CertificateRow[]): SharedCertificate {
  const found = rows.flatMap(({ certificate }) => certificate ?? []);
  const [certificate] = found;
  if (certificate === undefined) return { kind: 'none' };
  if (found.some(({ id }) => id !== certificate.id)) return { kind: 'advanced' };
  return { kind: found.length > 1 ? 'found' : 'unsure', certificate };
}

export function toDomainCertificate(
  rows: readonly CertificateRow[],
  domain: { readonly id: number; readonly name: string },
): Certificate | undefined {
  const own =
    rows.find((row) => row.domainId === domain.id) ?? rows.find((row) => row.domainName === domain.name);
  return own?.certificate;
}
