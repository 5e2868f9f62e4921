// The route table: every method and path of the reference, v2 and v3 alike, with the name that faults, calls and
// counters use for it. What is not here does not exist and is answered with 404.
import * as account from './account.ts';
import * as advanced from './advanced-ssl.ts';
import * as basic from './basic-ssl.ts';
import type { Handler, Parameter, Parameters } from './context.ts';
import * as domains from './domains.ts';

const WEBAPP = '/servers/{server}/webapps/{webapp}';
const DOMAIN = `${WEBAPP}/domains/{domain}`;

const TABLE = {
  ping: ['GET', '/ping', account.ping],
  'list-servers': ['GET', '/servers', account.listServers],
  'get-server': ['GET', '/servers/{server}', account.getServer],
  'list-webapps': ['GET', '/servers/{server}/webapps', account.listWebapps],
  'get-webapp': ['GET', WEBAPP, account.getWebapp],
  'get-log': ['GET', `${WEBAPP}/log`, account.getLog],
  'list-ssl-protocols': ['GET', '/static/ssl/protocols', account.listSslProtocols],

  'attach-domain': ['POST', `${WEBAPP}/domains`, domains.attachDomain],
  'list-domains': ['GET', `${WEBAPP}/domains`, domains.listDomains],
  'get-domain': ['GET', DOMAIN, domains.getDomain],
  'update-domain': ['PATCH', `${DOMAIN}/meta`, domains.updateDomain],
  'get-domain-dns': ['GET', `${DOMAIN}/dns`, domains.getDomainDns],
  'delete-domain': ['DELETE', DOMAIN, domains.deleteDomain],

  'install-ssl': ['POST', `${WEBAPP}/ssl`, basic.installSsl],
  'get-ssl': ['GET', `${WEBAPP}/ssl`, basic.getSsl],
  'update-ssl': ['PATCH', `${WEBAPP}/ssl/{ssl}`, basic.updateSsl],
  'redeploy-ssl': ['PUT', `${WEBAPP}/ssl/{ssl}`, basic.redeploySsl],
  'delete-ssl': ['DELETE', `${WEBAPP}/ssl/{ssl}`, basic.deleteSsl],

  'get-advanced-ssl': ['GET', `${WEBAPP}/ssl/advanced`, advanced.getAdvancedSsl],
  'set-advanced-ssl': ['POST', `${WEBAPP}/ssl/advanced`, advanced.setAdvancedSsl],
  'install-domain-ssl': ['POST', `${DOMAIN}/ssl`, advanced.installDomainSsl],
  'get-domain-ssl': ['GET', `${DOMAIN}/ssl`, advanced.getDomainSsl],
  'update-domain-ssl': ['PATCH', `${DOMAIN}/ssl/{ssl}`, advanced.updateDomainSsl],
  'redeploy-domain-ssl': ['PUT', `${DOMAIN}/ssl/{ssl}`, advanced.redeployDomainSsl],
  'delete-domain-ssl': ['DELETE', `${DOMAIN}/ssl/{ssl}`, advanced.deleteDomainSsl],
} as const satisfies Record<string, readonly [method: string, path: string, handle: Handler]>;

export type Operation = keyof typeof TABLE;

export const OPERATIONS = Object.keys(TABLE) as Operation[];

export interface Match {
  operation: Operation;
  parameters: Parameters;
  handle: Handler;
}

const ROUTES = OPERATIONS.map((operation) => {
  const [method, path, handle] = TABLE[operation];
  // Ids are digits only, so `/ssl/advanced` is never taken for an SSL id.
  const pattern = new RegExp(`^${path.replaceAll(/\{(\w+)\}/g, '(?<$1>\\d{1,15})')}$`);
  return { operation, method, pattern, handle };
});

/** `path` is what follows /api/v2 or /api/v3. */
export function matchRoute(method: string, path: string): Match | null {
  for (const { pattern, operation, handle, ...route } of ROUTES) {
    const found = route.method === method ? pattern.exec(path) : null;
    if (found !== null) return { operation, handle, parameters: toParameters(found.groups ?? {}) };
  }
  return null;
}

const toParameters = (groups: Record<string, string>): Parameters =>
  Object.fromEntries(Object.entries(groups).map(([name, value]) => [name as Parameter, Number(value)]));
