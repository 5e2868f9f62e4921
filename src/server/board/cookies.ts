// The two cookies of the board: the login, and one that ties a login form to its browser.
import { randomBytes } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { prefixOf } from '../prefix.ts';

export interface Cookies {
  session(request: FastifyRequest): string | undefined;
  setSession(reply: FastifyReply, id: string): void;
  endSession(reply: FastifyReply): void;
  form(request: FastifyRequest): string | undefined;
  /** The secret of a new form. */
  beginForm(reply: FastifyReply): string;
  endForm(reply: FastifyReply): void;
}

const FORM_LIFE_S = 3600;

type Kind = 'board' | 'form';

export function createCookies({ secure }: { readonly secure: boolean }): Cookies {
  // A browser accepts `__Host-` only with Secure, for exactly this host and the path `/`: no other
  // host can set it. Below a prefix the host has other applications, which must not get the login.
  const nameOf = (kind: Kind, prefix: string): string =>
    `${secure ? (prefix === '' ? '__Host-' : '__Secure-') : ''}runcloud-domains-${kind}`;
  const optionsFor = (prefix: string): CookieSerializeOptions => ({
    path: secure && prefix === '' ? '/' : `${prefix}/board`,
    httpOnly: true,
    sameSite: 'strict',
    secure,
  });
  const read = (request: FastifyRequest, kind: Kind): string | undefined => {
    const value = request.cookies[nameOf(kind, prefixOf(request))];
    return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
  };
  const set = (reply: FastifyReply, kind: Kind, value: string, more: CookieSerializeOptions = {}): void => {
    const prefix = prefixOf(reply.request);
    reply.setCookie(nameOf(kind, prefix), value, { ...optionsFor(prefix), ...more });
  };
  const clear = (reply: FastifyReply, kind: Kind): void => {
    const prefix = prefixOf(reply.request);
    reply.clearCookie(nameOf(kind, prefix), optionsFor(prefix));
  };
  return {
    session: (request) => read(request, 'board'),
    setSession: (reply, id) => set(reply, 'board', id),
    endSession: (reply) => clear(reply, 'board'),
    form: (request) => read(request, 'form'),
    beginForm(reply) {
      const secret = randomBytes(32).toString('base64url');
      set(reply, 'form', secret, { maxAge: FORM_LIFE_S });
      return secret;
    },
    endForm: (reply) => clear(reply, 'form'),
  };
}
