// Bull Board itself, read only: none of its handlers that change something is registered, and its
// data is filtered.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import type { AppControllerRoute, ControllerHandlerReturnType } from '@bull-board/api/typings/app';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import type { RequestQueue } from '../../queue/enqueue.ts';
import { boardTitle } from './messages.ts';
import type { Shown } from './shown.ts';

export type Queue = RequestQueue['queue'];

/** The deliveries to one URL, and the URL without secrets. */
export interface CallbackQueue {
  readonly queue: Queue;
  readonly shown: string;
}

/** The fields of a delivery that are shown. Its target is only a digest. */
const CALLBACK_FIELDS: ReadonlySet<string> = new Set(['messageId', 'domain', 'at', 'body']);

/**
 * Bull Board's routes that are served. A route of a new version is served only if it is listed
 * here.
 */
export const READ_ROUTES: ReadonlySet<string> = new Set([
  '/api/redis/stats', // refuses, by hideRedisDetails
  '/api/queues',
  '/api/queues/:queueName/metrics',
  '/api/queues/:queueName/default-job-options',
  '/api/queues/:queueName/rate-limit',
  '/api/queues/:queueName/job-data-schema',
  '/api/queues/:queueName/:jobId/logs',
  '/api/queues/:queueName/:jobId',
]);

/**
 * Routes with an empty answer: they would show too much (schedulers of other programs, addresses).
 */
export const EMPTY_ROUTES: Readonly<Record<string, (jobId: string) => object>> = {
  '/api/job-schedulers': () => ({ schedulers: [] }),
  '/api/queues/:queueName/workers': () => ({ workers: null }),
  '/api/queues/:queueName/:jobId/flow': (nodeId) => ({ nodeId, flowRoot: null, isFlowNode: false }),
};

/** The text in the page before the user is known. */
export const LOGOUT_TEXT = 'Log out';

const UI = {
  boardTitle,
  miscLinks: [
    { text: 'HTTP API', url: '/v1/docs' },
    { text: LOGOUT_TEXT, url: '/board/logout' },
  ],
  hideDocsLink: true,
  hideRedisDetails: true,
  showMetrics: false,
  showWorkers: false, // would cost a CLIENT LIST with each poll
  locale: { lng: 'en-US' },
  pollingInterval: { showSetting: true },
};

/** Bull Board's page with the paths below `prefix`: of its own files, and of our links. */
export const below = (prefix: string, page: string): string =>
  page
    .replace('<base href="/board/"', `<base href="${prefix}/board/"`)
    .replace(/"url":"(\/(?:v1|board)\/\w+)"/g, (_, path) => `"url":"${prefix}${path}"`);

class ReadingAdapter extends FastifyAdapter {
  readonly #onError: (error: Error) => ControllerHandlerReturnType;

  constructor(onError: (error: Error) => ControllerHandlerReturnType) {
    super();
    this.#onError = onError;
  }

  override setApiRoutes(routes: AppControllerRoute[]): FastifyAdapter {
    return super.setApiRoutes(
      routes.filter(({ method, route }) => method === 'get' && READ_ROUTES.has(String(route))),
    );
  }

  // Bull Board's own handler sends the text of any error.
  override setErrorHandler(): this {
    return super.setErrorHandler(this.#onError);
  }
}

export interface BullBoardOptions {
  readonly queue: Queue;
  /** Read only; `runcloud-domains callbacks replay` sends one again. */
  readonly callbackQueues?: readonly CallbackQueue[] | undefined;
  readonly shown: Shown;
  readonly onError: (error: Error) => ControllerHandlerReturnType;
}

/** A plugin with Bull Board's pages and its read routes. */
export function createReadingBoard({
  queue,
  callbackQueues = [],
  shown,
  onError,
}: BullBoardOptions): FastifyPluginCallback {
  const serverAdapter = new ReadingAdapter(onError);
  serverAdapter.setBasePath('/board');
  const adapters = [
    toAdapter(queue, shown, undefined, {
      allowCompletedRetries: false,
      description: 'Domains and certificates',
    }),
    ...callbackQueues.map(({ queue: deliveries, shown: url }) =>
      toAdapter(deliveries, shown, CALLBACK_FIELDS, {
        readOnlyMode: true,
        description: `Callbacks to ${url}`,
      }),
    ),
  ];
  createBullBoard({ queues: adapters, serverAdapter, options: { uiConfig: UI } });
  const bullBoard = serverAdapter.registerPlugin();
  return (scope, options, done) => {
    for (const [route, toBody] of Object.entries(EMPTY_ROUTES)) addEmptyRoute(scope, route, toBody);
    bullBoard(scope, options, done);
  };
}

function toAdapter(
  queue: Queue,
  shown: Shown,
  known: ReadonlySet<string> | undefined,
  options: ConstructorParameters<typeof BullMQAdapter>[1] & { allowCompletedRetries?: boolean },
): BullMQAdapter {
  const adapter = new BullMQAdapter(queue, options);
  adapter.setFormatter('data', (data) => shown.data(data, known));
  adapter.setFormatter('name', ({ name }) => shown.text(name, 100));
  adapter.setFormatter('returnValue', (value) =>
    value === null || value === undefined ? value : shown.text(value),
  );
  adapter.setFormatter('progress', (value) => (typeof value === 'number' ? value : 0));
  return adapter;
}

const addEmptyRoute = (scope: FastifyInstance, url: string, toBody: (jobId: string) => object): void => {
  scope.get<{ Params: { jobId?: string } }>(url, async ({ params }) => toBody(params.jobId ?? ''));
};

interface QueueBody {
  readonly jobs: readonly unknown[];
  readonly readOnlyMode: boolean;
  readonly [field: string]: unknown;
}

/** Bull Board's answer without what must not be shown, and without buttons for a viewer. */
export function toShownBody(route: string, body: unknown, isViewer: boolean, shown: Shown): unknown {
  if (route.endsWith('/logs')) return shown.logs(body);
  if (typeof body !== 'object' || body === null) return body;
  if ('queues' in body) {
    const queues = (body.queues as QueueBody[]).map((queue) => ({
      ...queue,
      jobs: queue.jobs.map(shown.job),
      ...(isViewer && { readOnlyMode: true, allowRetries: false, allowCompletedRetries: false }),
    }));
    return { ...body, queues };
  }
  return 'job' in body ? { ...body, job: shown.job(body.job) } : body;
}
