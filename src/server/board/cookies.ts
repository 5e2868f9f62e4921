// The board's two cookies: the login, and one that ties a login form to the browser that asked for it.
import { randomBytes } from 'node:crypto';
import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

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

export function createCookies({ secure }: { readonly secure: boolean }): Cookies {
  // A browser takes `__Host-` only with Secure, for this very host and the path `/`: no other host can plant one.
  const prefix = secure ? '__Host-' : '';
  const session = `${prefix}runcloud-domains-board`;
  const form = `${prefix}runcloud-domains-form`;
  const common: CookieSerializeOptions = {
    path: secure ? '/' : '/board',
    httpOnly: true,
    sameSite: 'strict',
    secure,
  };
  const read = (request: FastifyRequest, name: string): string | undefined => {
    const value = request.cookies[name];
    return value !== undefined && /^[\w-]{43}$/.test(value) ? value : undefined;
  };
  return {
    session: (request) => read(request, session),
    setSession: (reply, id) => void reply.setCookie(session, id, common),
    endSession: (reply) => void reply.clearCookie(session, common),
    form: (request) => read(request, form),
    beginForm(reply) {
      const secret = randomBytes(32).toString('base64url');
      reply.setCookie(form, secret, { ...common, maxAge: FORM_LIFE_S });
      return secret;
    },
    endForm: (reply) => void reply.clearCookie(form, common),
  };
}
