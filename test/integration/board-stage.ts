// The board as the server has it, over HTTP without a socket, with a real Redis and workers of its own.
import Fastify, { type FastifyInstance } from 'fastify';
import { type Audit, createAudit } from '../../src/audit/audit.ts';
import type { BoardUser } from '../../src/config/load.ts';
import { createLogger, createScrub } from '../../src/logger/logger.ts';
import { createBoard } from '../../src/server/board/board.ts';
import { cheapHash, OWN, PASSWORDS } from '../helpers/board-login.ts';
import { createStage, type Stage, type StageOptions } from '../helpers/worker.ts';

export { cheapHash, OWN, PASSWORDS };

export const SECRET = 'rc_live_4f9a7713c2';
export const QUEUE = 'runcloud-domains';

export const users: readonly BoardUser[] = [
  { name: 'ada', role: 'operator', hash: cheapHash(PASSWORDS.ada) },
  { name: 'vic', role: 'viewer', hash: cheapHash(PASSWORDS.vic) },
];

export interface BoardStage extends AsyncDisposable {
  readonly stage: Stage;
  readonly app: FastifyInstance;
  readonly audit: Audit;
  readonly log: string[];
}

export interface BoardStageOptions {
  readonly secure?: boolean;
  readonly sessionMs?: number;
  readonly withUsers?: readonly BoardUser[];
  readonly stage?: StageOptions;
}

/** The id of a URL of callbacks. */
export const TARGET = '0a1b2c3d4e';

export async function createBoardStage(options: BoardStageOptions = {}): Promise<BoardStage> {
  const stage = await createStage({ workers: 0, ...options.stage });
  const { queue, keyOf } = stage.producer.requests;
  const audit = createAudit({ redis: stage.redis, keys: { own: keyOf }, onLost: () => undefined });
  const log: string[] = [];
  const logger = createLogger({
    level: 'info',
    format: 'json',
    secrets: [],
    destination: { write: (line: string) => void log.push(line) },
  });
  const app = Fastify();
  await app.register(
    createBoard({
      queue,
      callbackQueues: [
        { queue: stage.producer.deliveryQueues.of(TARGET), shown: 'https://a.example.org/hooks' },
      ],
      operator: stage.producer.operator,
      users: options.withUsers ?? users,
      sessionMs: options.sessionMs ?? 60_000,
      secureCookies: options.secure ?? false,
      redis: stage.redis,
      keyOf,
      audit,
      logger,
      scrub: createScrub([SECRET]),
    }),
  );
  await app.ready();
  return {
    stage,
    app,
    audit,
    log,
    async [Symbol.asyncDispose]() {
      await app.close();
      await stage[Symbol.asyncDispose]();
    },
  };
}

export type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

export const cookiesOf = (answer: Answer): string =>
  answer.cookies
    .filter(({ value }) => value !== '')
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ');

export const hidden = (page: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';

export async function tryLogIn(
  app: FastifyInstance,
  name: string,
  password: string,
  { address = '192.0.2.1', next }: { address?: string; next?: string } = {},
): Promise<Answer> {
  const form = await app.inject({ url: '/board/login', query: next === undefined ? {} : { next } });
  const fields = { token: hidden(form.body, 'token'), next: hidden(form.body, 'next'), name, password };
  return app.inject({
    method: 'POST',
    url: '/board/login',
    remoteAddress: address,
    headers: { ...OWN, cookie: cookiesOf(form), 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(fields).toString(),
  });
}

export async function logIn(app: FastifyInstance, name: keyof typeof PASSWORDS): Promise<string> {
  const answer = await tryLogIn(app, name, PASSWORDS[name]);
  if (answer.statusCode !== 303) throw new Error(`the login was answered with ${answer.statusCode}`);
  return cookiesOf(answer);
}

export const put = (
  app: FastifyInstance,
  url: string,
  cookie: string,
  headers: Record<string, string> = OWN,
) => app.inject({ method: 'PUT', url, headers: { ...headers, cookie } });
export const get = (app: FastifyInstance, url: string, cookie: string) =>
  app.inject({ url, headers: { cookie } });
