// The calls that read certificates: which mode, which certificate. Those that write are in
// ssl-writes.ts.
import {
  type CertificateRow,
  parseCertificateReply,
  saysNoSsl,
  saysNotInstalled,
  toDomainCertificate,
  toSharedCertificate,
} from './certificates.ts';
import {
  AdvancedModeError,
  ForbiddenError,
  NotFoundError,
  type Operation,
  RejectedError,
  toReply,
} from './errors.ts';
import { toUnusableReply } from './failures.ts';
import type { Http } from './http.ts';
import { faults } from './messages.ts';
import { isWhole, PER_PAGE, readAllPages } from './pages.ts';
import type {
  AttachedDomain,
  CallOptions,
  Certificate,
  ListedCertificate,
  RunCloud,
  WebApplication,
} from './runcloud.ts';
import { parseSslMode, toPageFacts } from './schemas.ts';

type SslCalls = Pick<RunCloud, 'getSslMode' | 'getCertificate' | 'getDomainCertificate' | 'listCertificates'>;

interface CertificateRead {
  readonly operation: Operation;
  readonly path: string;
  readonly options: CallOptions | undefined;
}

export const toAppPath = ({ serverId, appId }: WebApplication): string =>
  `/servers/${serverId}/webapps/${appId}`;

/** Whether a refusal means "there is none": a 404, or the message, whatever its status. */
const saysNone = (error: unknown): boolean =>
  error instanceof NotFoundError || saysNotInstalled(toReply(error));

function toRowPage(body: unknown, { operation }: CertificateRead): readonly CertificateRow[] {
  const reply = parseCertificateReply(body);
  if (reply.kind === 'rows') return reply.rows;
  throw toUnusableReply(operation, 200, faults.listOnOnePage);
}

async function readAllRows(http: Http, read: CertificateRead): Promise<readonly CertificateRow[]> {
  return await readAllPages({
    readPage: async (page) => {
      const { body } = await http.exchange({ ...read, method: 'GET', query: { page, perPage: PER_PAGE } });
      return { ...toPageFacts(body), items: toRowPage(body, read) };
    },
    keyOf: (row) => row.domainId ?? row.domainName ?? '',
    fail: (fault) => toUnusableReply(read.operation, 200, fault),
  });
}

/**
 * Which certificate of a reply is the right one: the only one, or one among the rows of a web
 * application's domains.
 */
interface Select {
  readonly alone: (certificate: Certificate) => Certificate | undefined;
  /** `more`: these rows do not decide, and there may be others. */
  readonly among: (rows: readonly CertificateRow[], isAll: boolean) => Certificate | undefined | 'more';
}

async function findCertificate(
  http: Http,
  read: CertificateRead,
  select: Select,
): Promise<Certificate | undefined> {
  const { status, body } = await http.exchange({ ...read, method: 'GET' });
  const reply = parseCertificateReply(body);
  switch (reply.kind) {
    case 'one':
      return select.alone(reply.certificate);
    case 'none':
      return undefined;
    case 'unclear':
      throw toUnusableReply(read.operation, status, faults.noCertificateId);
    case 'rows': {
      // No document says that rows come in pages. So the first request has no page number.
      const found = select.among(reply.rows, isWhole(reply.rows.length, toPageFacts(body)));
      return found === 'more' ? toFound(select.among(await readAllRows(http, read), true)) : toFound(found);
    }
  }
}

const toFound = (found: Certificate | undefined | 'more'): Certificate | undefined =>
  found === 'more' ? undefined : found;

/** The same. Some refusals mean "there is none". */
async function findOrNone(
  http: Http,
  read: CertificateRead,
  select: Select,
): Promise<Certificate | undefined> {
  try {
    return await findCertificate(http, read, select);
  } catch (error) {
    if (saysNone(error)) return undefined;
    throw error;
  }
}

// Advanced SSL is part of some plans only ([C] glama.ai/mcp/connectors/io.usefulapi/runcloud), and
// v2 may not have the route. So a 403 or 404 in RunCloud's own JSON means basic SSL. A firewall's
// 403 ([L]: the same call got 403 with one User-Agent and 200 with another) or an empty one says
// nothing. A wrong web application id is a 404 here too, and in every other call.
const lacksAdvanced = (error: unknown): boolean =>
  (error instanceof NotFoundError || error instanceof ForbiddenError) && error.isOwnWord;

function createModeCall(http: Http): RunCloud['getSslMode'] {
  return async (app, options) => {
    const operation = 'getSslMode';
    try {
      const path = `${toAppPath(app)}/ssl/advanced`;
      const { status, body } = await http.exchange({ operation, method: 'GET', path, options });
      const mode = parseSslMode(body);
      if (mode?.advanced === undefined) throw toUnusableReply(operation, status, faults.noSslMode);
      return { advanced: mode.advanced, autoSsl: mode.autoSsl };
    } catch (error) {
      if (lacksAdvanced(error)) return { advanced: false, autoSsl: false };
      throw error;
    }
  };
}

// [C] ansible-collection-runcloud takes every status >= 400 of the per-domain route for "none".
// Here 400 and 422 count, if their text says that SSL is absent. "Your server is offline" says
// nothing of a certificate, and "none" leads to a new install.
function saysNoDomainCertificate(error: unknown): boolean {
  if (saysNone(error)) return true;
  if (!(error instanceof RejectedError) || (error.status !== 400 && error.status !== 422)) return false;
  return error.reply === undefined || saysNoSsl(error.reply);
}

/**
 * The per-domain reply is not documented and may lack the id. Then v3's rows of the web application
 * have it.
 */
async function findDomainCertificate(
  http: Http,
  app: WebApplication,
  domain: AttachedDomain,
  options: CallOptions | undefined,
): Promise<Certificate | undefined> {
  const operation = 'getDomainCertificate';
  const base = toAppPath(app);
  const among: Select['among'] = (rows, isAll) =>
    toDomainCertificate(rows, domain) ?? (isAll ? undefined : 'more');
  try {
    const own: CertificateRead = { operation, path: `${base}/domains/${domain.id}/ssl`, options };
    const found = await findCertificate(http, own, { alone: (certificate) => certificate, among });
    if (found !== undefined) return found;
  } catch (error) {
    if (saysNoDomainCertificate(error)) return undefined;
    throw error;
  }
  // A single certificate there is the web application's, not this domain's.
  return await findOrNone(
    http,
    { operation, path: `${base}/ssl`, options },
    { alone: () => undefined, among },
  );
}

/** The rows of all pages, or the single certificate. Some refusals mean none. */
async function listCertificates(
  http: Http,
  app: WebApplication,
  options: CallOptions | undefined,
): Promise<ListedCertificate[]> {
  let rows: readonly CertificateRow[] = [];
  const read = { operation: 'listCertificates', path: `${toAppPath(app)}/ssl`, options } as const;
  const alone = await findOrNone(http, read, {
    alone: (certificate) => certificate,
    among: (found, isAll) => {
      rows = found;
      return isAll ? undefined : 'more';
    },
  });
  if (alone) return [{ domainName: undefined, certificate: alone }];
  return rows.flatMap(({ domainName, certificate }) => (certificate ? [{ domainName, certificate }] : []));
}

/**
 * Two certificates among the rows prove advanced mode: then none of them is the web application's.
 */
function amongShared(
  rows: readonly CertificateRow[],
  isAll: boolean,
  { appId }: WebApplication,
): Certificate | undefined | 'more' {
  const shared = toSharedCertificate(rows);
  if (shared.kind === 'advanced') throw new AdvancedModeError(appId, { operation: 'getCertificate' });
  if (shared.kind === 'found') return shared.certificate;
  if (!isAll) return 'more';
  return shared.kind === 'unsure' ? shared.certificate : undefined;
}

export function createSslCalls(http: Http): SslCalls {
  return {
    getSslMode: createModeCall(http),
    getCertificate(app, options) {
      const read: CertificateRead = { operation: 'getCertificate', path: `${toAppPath(app)}/ssl`, options };
      const alone = (certificate: Certificate): Certificate => certificate;
      return findOrNone(http, read, { alone, among: (rows, isAll) => amongShared(rows, isAll, app) });
    },
    listCertificates: (app, options) => listCertificates(http, app, options),
    getDomainCertificate: (app, domain, options) => findDomainCertificate(http, app, domain, options),
  };
}
