// What the API is measured against: fastify and BullMQ's `add`, nothing of ours. Tells its address by IPC.
import type { AddressInfo } from 'node:net';
import { Queue } from 'bullmq';
import { fastify } from 'fastify';
import { Redis } from 'ioredis';

const queue = new Queue('bare', {
  connection: new Redis(process.env.REDIS_URL ?? '', { maxRetriesPerRequest: null }),
});
const app = fastify();
app.post('/v1/domains', async (request, reply) => {
  const { id } = await queue.add('add-domain', request.body);
  return reply.code(202).send({ jobId: id });
});
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ port: (app.server.address() as AddressInfo).port });
