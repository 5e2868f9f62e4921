// Who calls, and what he may do. Looks at headers only, before a body is read.
import type { IncomingHttpHeaders } from 'node:http';
import { findByToken } from '../config/credential-hashes.ts';
import type { ApiRole, ApiToken } from '../config/load.ts';
import { Refusal } from './problems.ts';

/** Whoever a request comes from: the name of a token, or `local` where there are no tokens. */
export interface Caller {
  readonly name: string;
  readonly role: ApiRole;
}

/** As logs, histories and the audit log name it. */
export const nameOf = ({ name }: Caller): string => `api:${name}`;

/** The server listens on this machine only where it has no tokens (`assertServable`): whoever reaches it may do all. */
const LOCAL: Caller = { name: 'local', role: 'operate' };

/** `anyone`: what is in the published documents too. */
export type RouteRole = ApiRole | 'anyone';

export const allows = (role: ApiRole, needed: RouteRole): boolean =>
  needed === 'anyone' || role === 'operate' || role === needed;

/** The caller whom the headers name; undefined where they name nobody. */
export function identify(headers: IncomingHttpHeaders, tokens: readonly ApiToken[]): Caller | undefined {
  if (tokens.length === 0) return isLocalHost(headers.host) ? LOCAL : undefined;
  const [, token] = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(headers.authorization ?? '') ?? [];
  const entry = token === undefined ? undefined : findByToken(token, tokens);
  return entry && { name: entry.name, role: entry.role };
}

// A page of any site can have its own name lead to 127.0.0.1 (DNS rebinding); it cannot change what Host then says.
function isLocalHost(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');
}

/** Throws Refusal (401, 403) where `caller` may not do what needs `role`. */
export function authorize(caller: Caller | undefined, role: RouteRole): void {
  if (role === 'anyone') return;
  if (!caller) {
    const detail = 'this needs a token that the server knows: Authorization: Bearer <token>';
    throw new Refusal('unauthorized', detail, {
      headers: { 'www-authenticate': 'Bearer realm="runcloud-domains"' },
    });
  }
  if (allows(caller.role, role)) return;
  const needed = role === 'operate' ? 'operate' : `${role} or operate`;
  throw new Refusal(
    'forbidden',
    `this needs a token of the role ${needed}; "${caller.name}" has the role ${caller.role}`,
    { headers: { 'www-authenticate': 'Bearer realm="runcloud-domains", error="insufficient_scope"' } },
  );
}

/** Throws Refusal where a browser sends the request for a page of another site; programs send neither header. */
export function refuseCrossSite(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isExternal = origin !== undefined && hostOf(origin) !== host?.toLowerCase();
  if (isExternal || site === 'cross-site' || site === 'same-site')
    throw new Refusal('cross-site', 'a page of another site may not send this');
}

const hostOf = (origin: string): string | undefined =>
  URL.canParse(origin) ? new URL(origin).host : undefined;
