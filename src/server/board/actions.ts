// What an operator can do on the board: retry one failed job, or all. Every other change is
// refused.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BoardUser } from '../../config/load.ts';
import { refuse } from './access.ts';
import { failedOnly, notOnBoard, viewerOnly } from './messages.ts';
import type { Retries } from './retries.ts';

export interface ActionOptions {
  readonly queueName: string;
  readonly retries: Retries;
  readonly visitorOf: (request: FastifyRequest) => BoardUser | undefined;
}

export function addActions(scope: FastifyInstance, { queueName, retries, visitorOf }: ActionOptions): void {
  const whoOf = (request: FastifyRequest): string => `board:${visitorOf(request)?.name}`;
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) =>
    visitorOf(request)?.role === 'operator' ? undefined : refuse(request, reply, 403, viewerOnly);

  scope.put<{ Params: { queueName: string; jobId: string } }>(
    '/api/queues/:queueName/:jobId/retry',
    { onRequest },
    async (request, reply) => {
      const { params } = request;
      if (params.queueName !== queueName) return refuse(request, reply, 403, notOnBoard);
      const result = await retries.one(params.jobId, whoOf(request));
      return result.kind === 'retried'
        ? reply.status(204).send()
        : refuse(request, reply, 409, result.sentence);
    },
  );
  scope.put<{ Params: { queueName: string; queueStatus: string } }>(
    '/api/queues/:queueName/retry/:queueStatus',
    { onRequest },
    async (request, reply) => {
      const { params } = request;
      if (params.queueName !== queueName) return refuse(request, reply, 403, notOnBoard);
      if (params.queueStatus !== 'failed') return refuse(request, reply, 409, failedOnly);
      return retries.all(whoOf(request));
    },
  );
  scope.route({
    method: ['POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/*',
    onRequest,
    handler: (request, reply) => refuse(request, reply, 403, notOnBoard),
  });
}

/** The page of a retried job shows the job that replaces it. */
export async function followRetries(params: unknown, queueName: string, retries: Retries): Promise<void> {
  const named = params as { queueName?: string; jobId?: string };
  if (named.queueName !== queueName || named.jobId === undefined) return;
  named.jobId = await retries.successor(named.jobId);
}
