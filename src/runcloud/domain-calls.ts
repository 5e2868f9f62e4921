// The calls about domains: list, attach, change, remove. Each does one thing and never looks by itself: a reply that leaves
// something open is handed to the caller as such.
import { toUnusableReply } from './failures.ts';
import type { Http } from './http.ts';
import { type Page, PER_PAGE, readAllPages } from './pages.ts';
import type { AttachedDomain, RunCloud } from './runcloud.ts';
import { hasMessage, parseDomain, parseNamed, toDomainName, toPageFacts, toRows } from './schemas.ts';
import { toAppPath } from './ssl-calls.ts';

export type ApiVersion = 'v2' | 'v3';

type DomainCalls = Pick<RunCloud, 'listDomains' | 'attachDomain' | 'changeDomain' | 'detachDomain'>;

/** A row that cannot be read might be the very domain that the caller asks about, so it is not skipped. */
function toDomainPage(body: unknown, status: number): Page<AttachedDomain> {
  const rows = toRows(body);
  if (rows === undefined) throw toUnusableReply('listDomains', status, 'holds no list');
  const items = rows.map((row) => {
    const domain = parseDomain(row);
    if (domain === undefined) {
      throw toUnusableReply('listDomains', status, 'lists a domain without id or name');
    }
    return domain;
  });
  return { ...toPageFacts(body), items };
}

function createListCall(http: Http): RunCloud['listDomains'] {
  const operation = 'listDomains';
  return (app, options) =>
    readAllPages({
      readPage: async (page) => {
        const path = `${toAppPath(app)}/domains`;
        const query = { page, perPage: PER_PAGE };
        const { status, body } = await http.exchange({ operation, method: 'GET', path, query, options });
        return toDomainPage(body, status);
      },
      keyOf: (domain) => domain.id,
      fail: (lacks) => toUnusableReply(operation, 200, lacks),
    });
}

export function createDomainCalls(http: Http, version: ApiVersion): DomainCalls {
  return {
    listDomains: createListCall(http),
    async attachDomain(app, { name, www, redirection }, options) {
      // v3: [D] runcloud.io/docs/api/v3/api-8617111. v2: [C] superdav42/wp-multisite-waas sends these three.
      const json = { name, www, redirection, ...(version === 'v3' ? { type: 'alias' } : {}) };
      const path = `${toAppPath(app)}/domains`;
      const { body } = await http.exchange({
        operation: 'attachDomain',
        method: 'POST',
        path,
        json,
        options,
      });
      const domain = parseDomain(body);
      return domain?.name === toDomainName(name) ? domain : undefined;
    },
    // [D] runcloud.io/docs/api/v3/api-8617114: these three fields, and a message in reply. [L] a change of `www` alone, with the other two
    // as they stood, works on v3. A type that RunCloud does not tell is left out: it may have become the primary meanwhile.
    async changeDomain(app, { id, name, type }, { www, redirection }, options) {
      const json = { ...(type && { type }), redirection, www };
      const path = `${toAppPath(app)}/domains/${id}/meta`;
      const { body } = await http.exchange({
        operation: 'changeDomain',
        method: 'PATCH',
        path,
        json,
        options,
      });
      const domain = parseDomain(body);
      return domain ? domain.name === toDomainName(name) && domain.www === www : hasMessage(body);
    },
    // [D] runcloud.io/docs/api/v3/api-8617116: the reply is the deleted domain.
    async detachDomain(app, domain, options) {
      const path = `${toAppPath(app)}/domains/${domain.id}`;
      const { body } = await http.exchange({ operation: 'detachDomain', method: 'DELETE', path, options });
      const named = parseNamed(body);
      return named.id === domain.id || named.name === toDomainName(domain.name);
    },
  };
}
