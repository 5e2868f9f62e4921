// Login and logout of the board.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { verifyPassword } from '../../config/credential-hashes.ts';
import type { BoardUser } from '../../config/load.ts';
import type { Logger } from '../../logger/logger.ts';
import { isSameSecret } from '../../secrets.ts';
import { prefixOf } from '../prefix.ts';
import type { Checks } from './checks.ts';
import type { Cookies } from './cookies.ts';
import type { Lockout } from './lockout.ts';
import {
  failedLoginLine,
  formExpired,
  lockedLoginLine,
  loginLine,
  logoutLine,
  notLoggedOutTitle,
  tooManyChecks,
  tooManyFailures,
  tryAgainIn,
  wrongLogin,
} from './messages.ts';
import { loginPage, logoutPage, messagePage, type Page } from './pages.ts';
import { digest, type Sessions } from './sessions.ts';

export interface LoginOptions {
  readonly users: readonly BoardUser[];
  readonly sessions: Sessions;
  readonly lockout: Lockout;
  readonly checks: Checks;
  readonly cookies: Cookies;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** The user of a request that has passed the access check. */
  readonly visitorOf: (request: FastifyRequest) => BoardUser | undefined;
}

/** The board's own path in the browser. */
export const boardPath = (request: FastifyRequest): string => `${prefixOf(request)}/board`;

export const sendPage = (reply: FastifyReply, status: number, { html, policy }: Page): FastifyReply =>
  reply.status(status).type('text/html; charset=utf-8').header('content-security-policy', policy).send(html);

const PAGE = /^\/board\/(?!login|logout)[\w\-.~%/?=&]{0,500}$/;

/** Only a page of the board: else another site could redirect people through the login. */
const toNext = (path: string | undefined): string =>
  path !== undefined && PAGE.test(path) && isNormalized(path) ? path : '/board/';

/** No `..` and no `//`, which a browser would resolve to another path. */
const isNormalized = (path: string): boolean =>
  new URL(path, 'http://board').pathname === path.split('?', 1)[0] && !path.includes('//');

const isToken = (given: string | undefined, secret: string | undefined): boolean =>
  given !== undefined && secret !== undefined && isSameSecret(given, digest(`form:${secret}`));

const fieldsOf = (request: FastifyRequest) => {
  const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
  return (name: string): string | undefined => form.get(name) ?? undefined;
};

export function addLoginRoutes(scope: FastifyInstance, options: LoginOptions): void {
  const { sessions, cookies, logger, visitorOf } = options;
  const logIn = createLogIn(options);

  const sendForm = (reply: FastifyReply, status: number, next: string, problem?: string): FastifyReply => {
    const token = digest(`form:${cookies.beginForm(reply)}`);
    return sendPage(reply, status, loginPage({ base: boardPath(reply.request), token, next, problem }));
  };

  scope.get<{ Querystring: { next?: unknown } }>('/login', async ({ query }, reply) =>
    sendForm(reply, 200, toNext(typeof query.next === 'string' ? query.next : undefined)),
  );

  scope.post('/login', async (request, reply) => {
    const field = fieldsOf(request);
    const next = toNext(field('next'));
    if (!isToken(field('token'), cookies.form(request))) return sendForm(reply, 403, next, formExpired);
    const answer = await logIn(field('name') ?? '', field('password') ?? '', request.ip);
    if (answer.kind === 'wrong') return sendForm(reply, 401, next, wrongLogin);
    if (answer.kind === 'wait') {
      reply.header('retry-after', answer.seconds);
      return sendForm(reply, 429, next, tryAgainIn(answer.why, answer.seconds));
    }
    const old = cookies.session(request);
    if (old !== undefined) await sessions.end(old);
    cookies.endForm(reply);
    cookies.setSession(reply, await sessions.begin(answer.user));
    return reply.redirect(`${prefixOf(request)}${next}`, 303);
  });

  scope.get('/logout', async (request, reply) => {
    const user = visitorOf(request);
    const id = cookies.session(request);
    if (!user || id === undefined) return reply.redirect(`${boardPath(request)}/login`, 303);
    return sendPage(reply, 200, logoutPage(boardPath(request), user.name, user.role, digest(`form:${id}`)));
  });

  scope.post('/logout', async (request, reply) => {
    const id = cookies.session(request);
    if (id === undefined || !isToken(fieldsOf(request)('token'), id))
      return sendPage(reply, 403, messagePage(boardPath(request), notLoggedOutTitle, formExpired));
    await sessions.end(id);
    cookies.endSession(reply);
    logger.info({ event: 'board-logout', user: visitorOf(request)?.name }, logoutLine);
    return reply.redirect(`${boardPath(request)}/login`, 303);
  });
}

type Answer =
  | { readonly kind: 'in'; readonly user: BoardUser }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'wait'; readonly seconds: number; readonly why: string };

/** If the queue of checks has no place. */
const FULL: Answer = { kind: 'wait', seconds: 5, why: tooManyChecks };

function createLogIn({ users, lockout, checks, logger }: LoginOptions) {
  const logIn = async (name: string, password: string, address: string): Promise<Answer> => {
    const user = users.find((known) => known.name === name);
    // The typed name may be a password: only known names are logged.
    const who = { user: user?.name ?? '(unknown)', address };
    const waitMs = await lockout.attempt(name, address);
    if (waitMs > 0) {
      const seconds = Math.ceil(waitMs / 1000);
      logger.warn({ event: 'board-login-locked', ...who, seconds }, lockedLoginLine);
      return { kind: 'wait', seconds, why: tooManyFailures };
    }
    // An unknown name takes the same time as a known one.
    const isRight = await verifyPassword(password, (user ?? users[0])?.hash ?? '');
    if (!user || !isRight) {
      logger.warn({ event: 'board-login-failed', ...who }, failedLoginLine);
      return { kind: 'wrong' };
    }
    await lockout.succeeded(name, address);
    logger.info({ event: 'board-login', ...who, role: user.role }, loginLine);
    return { kind: 'in', user };
  };
  return async (name: string, password: string, address: string): Promise<Answer> =>
    (await checks.run(address, () => logIn(name, password, address))) ?? FULL;
}
