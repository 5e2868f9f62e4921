// The caller and its role. Reads headers only, before the body.
import type { IncomingHttpHeaders } from 'node:http';
import { findByToken } from '../config/credential-hashes.ts';
import type { ApiRole, ApiToken } from '../config/load.ts';
import { otherSite, roleRequired, tokenRequired } from './messages.ts';
import { Refusal } from './problems.ts';

/** The name of a token, or `local` if the server has no tokens. */
export interface Caller {
  readonly name: string;
  readonly role: ApiRole;
}

/** The caller in logs, histories and the audit log. */
export const nameOf = ({ name }: Caller): string => `api:${name}`;

/**
 * Without tokens the server listens on this machine only (`assertServable`): every caller may do
 * everything.
 */
const LOCAL: Caller = { name: 'local', role: 'operate' };

/** `anyone`: needs no token. Only for what the published documents contain. */
export type RouteRole = ApiRole | 'anyone';

export const allows = (role: ApiRole, needed: RouteRole): boolean =>
  needed === 'anyone' || role === 'operate' || role === needed;

/** Undefined: the headers name no known caller. */
export function identify(headers: IncomingHttpHeaders, tokens: readonly ApiToken[]): Caller | undefined {
  if (tokens.length === 0) return isLocalHost(headers.host) ? LOCAL : undefined;
  const [, token] = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(headers.authorization ?? '') ?? [];
  const entry = token === undefined ? undefined : findByToken(token, tokens);
  return entry && { name: entry.name, role: entry.role };
}

// Any site can point its own name to 127.0.0.1 (DNS rebinding). It cannot change the Host header.
function isLocalHost(host: string | undefined): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '');
}

/** Throws Refusal (401, 403) if the caller does not have the role. */
export function authorize(caller: Caller | undefined, role: RouteRole): void {
  if (role === 'anyone') return;
  if (!caller)
    throw new Refusal('unauthorized', tokenRequired, {
      headers: { 'www-authenticate': 'Bearer realm="runcloud-domains"' },
    });
  if (allows(caller.role, role)) return;
  const needed = role === 'operate' ? 'operate' : `${role} or operate`;
  throw new Refusal('forbidden', roleRequired(needed, caller.name, caller.role), {
    headers: { 'www-authenticate': 'Bearer realm="runcloud-domains", error="insufficient_scope"' },
  });
}

/**
 * Throws Refusal if a browser sends the request for a page of another site. Programs send neither
 * header.
 */
export function refuseCrossSite(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  const isExternal = origin !== undefined && hostOf(origin) !== host?.toLowerCase();
  if (isExternal || site === 'cross-site' || site === 'same-site') throw new Refusal('cross-site', otherSite);
}

const hostOf = (origin: string): string | undefined =>
  URL.canParse(origin) ? new URL(origin).host : undefined;
