// The calls that look at certificates: which mode, which certificate. Those that write are in ssl-writes.ts.
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

interface Snapshot {
  readonly operation: Operation;
  readonly path: string;
  readonly options: CallOptions | undefined;
}

export const toAppPath = ({ serverId, appId }: WebApplication): string =>
  `/servers/${serverId}/webapps/${appId}`;

/** Whether a refused reading says "there is none": 404 does, and so does the message, whatever its status. */
const saysNone = (error: unknown): boolean =>
  error instanceof NotFoundError || saysNotInstalled(toReply(error));

function toRowPage(body: unknown, { operation }: Snapshot): readonly CertificateRow[] {
  const reply = parseCertificateReply(body);
  if (reply.kind === 'rows') return reply.rows;
  throw toUnusableReply(operation, 200, 'is a list on one page and none on the next');
}

async function readAllRows(http: Http, reading: Snapshot): Promise<readonly CertificateRow[]> {
  return await readAllPages({
    readPage: async (page) => {
      const { body } = await http.exchange({ ...reading, method: 'GET', query: { page, perPage: PER_PAGE } });
      return { ...toPageFacts(body), items: toRowPage(body, reading) };
    },
    keyOf: (row) => row.domainId ?? row.domainName ?? '',
    fail: (lacks) => toUnusableReply(reading.operation, 200, lacks),
  });
}

/** What counts as found: a certificate that stands alone, or one among the rows of a web application's domains. */
interface DesiredRecord {
  readonly alone: (certificate: Certificate) => Certificate | undefined;
  /** `more`: these rows do not settle it, and there may be others. */
  readonly among: (rows: readonly CertificateRow[], isAll: boolean) => Certificate | undefined | 'more';
}

async function findCertificate(
  http: Http,
  reading: Snapshot,
  desired: DesiredRecord,
): Promise<Certificate | undefined> {
  const { status, body } = await http.exchange({ ...reading, method: 'GET' });
  const reply = parseCertificateReply(body);
  switch (reply.kind) {
    case 'one':
      return desired.alone(reply.certificate);
    case 'none':
      return undefined;
    case 'unclear':
      throw toUnusableReply(reading.operation, status, 'holds no certificate id');
    case 'rows': {
      // No document says that rows come in pages, so no page is asked for until there may be more of them.
      const found = desired.among(reply.rows, isWhole(reply.rows.length, toPageFacts(body)));
      return found === 'more'
        ? toFound(desired.among(await readAllRows(http, reading), true))
        : toFound(found);
    }
  }
}

const toFound = (found: Certificate | undefined | 'more'): Certificate | undefined =>
  found === 'more' ? undefined : found;

/** The same, where some refusals say "there is none". */
async function findOrNone(
  http: Http,
  reading: Snapshot,
  desired: DesiredRecord,
): Promise<Certificate | undefined> {
  try {
    return await findCertificate(http, reading, desired);
  } catch (error) {
    if (saysNone(error)) return undefined;
    throw error;
  }
}

// Advanced SSL is part of some plans only ([C] glama.ai/mcp/connectors/io.usefulapi/runcloud), and v2 may not know
// the route at all: "you may not" and "no such thing" both leave basic SSL, where RunCloud itself says so, in its own
// JSON. A firewall's 403 ([L]: the same call got 403 with one User-Agent and 200 with another) or an empty one says nothing
// about SSL. A wrong web application id also ends in a 404 here, and shows in every other call.
const lacksAdvanced = (error: unknown): boolean =>
  (error instanceof NotFoundError || error instanceof ForbiddenError) && error.isOwnWord;

function createModeCall(http: Http): RunCloud['getSslMode'] {
  return async (app, options) => {
    const operation = 'getSslMode';
    try {
      const path = `${toAppPath(app)}/ssl/advanced`;
      const { status, body } = await http.exchange({ operation, method: 'GET', path, options });
      const mode = parseSslMode(body);
      if (mode?.advanced === undefined) throw toUnusableReply(operation, status, 'does not say advancedSSL');
      return { advanced: mode.advanced, autoSsl: mode.autoSsl };
    } catch (error) {
      if (lacksAdvanced(error)) return { advanced: false, autoSsl: false };
      throw error;
    }
  };
}

// [C] ansible-collection-runcloud takes every status >= 400 of the per-domain route for "none". We do so for 400 and 422, where words
// there are say that something about SSL is not there: "Your server is offline" says nothing of a certificate, and what is taken for
// "none" is installed anew.
function saysNoDomainCertificate(error: unknown): boolean {
  if (saysNone(error)) return true;
  if (!(error instanceof RejectedError) || (error.status !== 400 && error.status !== 422)) return false;
  return error.reply === undefined || saysNoSsl(error.reply);
}

/** The per-domain reply is not documented, and may be without the id: v3's rows of the web application have it then. */
async function findDomainCertificate(
  http: Http,
  app: WebApplication,
  domain: AttachedDomain,
  options: CallOptions | undefined,
): Promise<Certificate | undefined> {
  const operation = 'getDomainCertificate';
  const base = toAppPath(app);
  const among: DesiredRecord['among'] = (rows, isAll) =>
    toDomainCertificate(rows, domain) ?? (isAll ? undefined : 'more');
  try {
    const own: Snapshot = { operation, path: `${base}/domains/${domain.id}/ssl`, options };
    const found = await findCertificate(http, own, { alone: (certificate) => certificate, among });
    if (found !== undefined) return found;
  } catch (error) {
    if (saysNoDomainCertificate(error)) return undefined;
    throw error;
  }
  // A certificate that stands alone there is the web application's, not this domain's.
  return await findOrNone(
    http,
    { operation, path: `${base}/ssl`, options },
    { alone: () => undefined, among },
  );
}

/** Rows in all their pages, or the one certificate that stands alone; a refusal that says so means none. */
async function listCertificates(
  http: Http,
  app: WebApplication,
  options: CallOptions | undefined,
): Promise<ListedCertificate[]> {
  let rows: readonly CertificateRow[] = [];
  const reading = { operation: 'listCertificates', path: `${toAppPath(app)}/ssl`, options } as const;
  const alone = await findOrNone(http, reading, {
    alone: (certificate) => certificate,
    among: (found, isAll) => {
      rows = found;
      return isAll ? undefined : 'more';
    },
  });
  if (alone) return [{ domainName: undefined, certificate: alone }];
  return rows.flatMap(({ domainName, certificate }) => (certificate ? [{ domainName, certificate }] : []));
}

/** Two certificates among the rows prove advanced mode: then none of them is the web application's, and none is handed out. */
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
      const reading: Snapshot = { operation: 'getCertificate', path: `${toAppPath(app)}/ssl`, options };
      const alone = (certificate: Certificate): Certificate => certificate;
      return findOrNone(http, reading, { alone, among: (rows, isAll) => amongShared(rows, isAll, app) });
    },
    listCertificates: (app, options) => listCertificates(http, app, options),
    getDomainCertificate: (app, domain, options) => findDomainCertificate(http, app, domain, options),
  };
}
