// The calls about domains: list, attach, change, remove. Each is one exchange. An unclear reply
// goes to the caller, which checks the list.
import { toUnusableReply } from './failures.ts';
import type { Http } from './http.ts';
import { faults } from './messages.ts';
import { type Page, PER_PAGE, readAllPages } from './pages.ts';
import type { AttachedDomain, RunCloud } from './runcloud.ts';
import { hasMessage, parseDomain, parseNamed, toDomainName, toPageFacts, toRows } from './schemas.ts';
import { toAppPath } from './ssl-calls.ts';

export type ApiVersion = 'v2' | 'v3';

type DomainCalls = Pick<RunCloud, 'listDomains' | 'attachDomain' | 'changeDomain' | 'detachDomain'>;

/** An unreadable row may be the domain that the caller needs, so it is not skipped. */
function toDomainPage(body: unknown, status: number): Page<AttachedDomain> {
  const rows = toRows(body);
  if (rows === undefined) throw toUnusableReply('listDomains', status, faults.noList);
  const items = rows.map((row) => {
    const domain = parseDomain(row);
    if (domain === undefined) {
      throw toUnusableReply('listDomains', status, faults.namelessDomain);
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
      fail: (fault) => toUnusableReply(operation, 200, fault),
    });
}

export function createDomainCalls(http: Http, version: ApiVersion): DomainCalls {
  return {
    listDomains: createListCall(http),
    async attachDomain(app, { name, www, redirection }, options) {
      // v3: [D] runcloud.io/docs/api/v3/api-8617111. v2: [C] superdav42/wp-multisite-waas sends
      // these three.
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
    // [D] runcloud.io/docs/api/v3/api-8617114: these three fields, and a message in reply. [L] a
    // change of `www` alone, with the other two unchanged, works on v3. A type that RunCloud did
    // not send is left out: the domain may have become the primary.
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
