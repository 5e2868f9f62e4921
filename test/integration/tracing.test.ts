// Traces reach a collector, from the request to the call below its job, without a secret; and nothing is loaded without one.
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createProducerApp } from '../../src/app/app.ts';
import { createTracing } from '../../src/tracing.ts';
import { createCollector } from '../helpers/collector.ts';
import { startServer } from '../helpers/http-server.ts';
import { PATIENT } from '../helpers/patient.ts';
import { until } from '../helpers/until.ts';
import { createStage } from '../helpers/worker.ts';

const OFF = { version: '1', role: 'server', scrub: (text: string) => text } as const;

describe('tracing', () => {
  test('is nothing without an endpoint', () => {
    expect(createTracing({ ...OFF, endpoint: undefined })).toBeUndefined();
  });

  test('loads nothing of OpenTelemetry without an endpoint', () => {
    const program = `
      const { createTracing } = await import(${JSON.stringify(new URL('../../src/tracing.ts', import.meta.url).href)});
      const { createRequire } = await import('node:module');
      const { cache } = createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).filter((file) => file.includes('opentelemetry')).length;
      const options = { version: '1', role: 'server', scrub: (text) => text };
      createTracing({ ...options, endpoint: undefined });
      const before = loaded();
      await createTracing({ ...options, endpoint: 'http://127.0.0.1:9' }).close(10);
      console.log(before, loaded() > 0);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect([stdout.trim(), stderr]).toEqual(['0 true', '']);
  });

  test('sends a job and its calls to RunCloud, the calls below the job, and no secret', async () => {
    await using collector = await createCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
    const stage = await createStage({ env });
    const { token } = stage.simulator.credentials;
    const echo = { message: `Bad credentials ${token}`, errors: { name: [token] } };
    stage.simulator.addFault({ kind: 'status', status: 422, body: echo, domain: 'bad.example.org' });
    try {
      const good = await stage.producer.requests.enqueue('add-domain', { domain: 'shop.example.org' });
      const bad = await stage.producer.requests.enqueue('add-domain', { domain: 'bad.example.org' });
      await stage.ended(good.jobId);
      const failed = await stage.ended(bad.jobId);
      expect(failed.failedReason).toMatch(/^runcloud-rejected/);
      await stage.idle();
    } finally {
      await stage[Symbol.asyncDispose]();
    }
    const spans = collector.spans();
    const processed = spans.filter(({ name }) => name.startsWith('process '));
    const attach = spans.find(({ name }) => name === 'runcloud attachDomain');
    expect(processed.map(({ spanId }) => spanId)).toContain(attach?.parentSpanId);
    expect(collector.text()).toContain('runcloud-domains-worker');
    expect(collector.text()).toContain('bad.example.org');
    for (const secret of [token, new URL(stage.config.redisUrl).password])
      expect(collector.text()).not.toContain(secret);
  });

  test.each(['no JSON', 'null', '{"traceparent":[5]}'])(
    'goes without what a bare client calls its trace: %s',
    async (metadata) => {
      await using collector = await createCollector();
      await using stage = await createStage({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
      const job = await stage.queue.add(
        'add-domain',
        { domain: 'a.example.org' },
        { telemetry: { metadata } },
      );
      expect((await stage.ended(job.id ?? '')).returnvalue).toMatch(/attached/);
    },
  );

  test('links a request that was traced to the job that carries it', async () => {
    await using collector = await createCollector();
    await using stage = await createStage({ workers: 0 });
    const tracing = createTracing({ ...OFF, endpoint: collector.endpoint });
    const producer = createProducerApp(stage.config, { ...PATIENT, telemetry: tracing?.telemetry });
    try {
      await producer.ready();
      const { jobId } = await producer.requests.enqueue('add-domain', { domain: 'shop.example.org' });
      expect((await stage.job(jobId)).opts.telemetry?.metadata).toMatch(/traceparent/);
    } finally {
      await producer.close();
      await tracing?.close();
    }
    await until(() => collector.spans().some(({ name }) => name.startsWith('add ')), 'the request is sent');
  });

  test('the server tells of the requests that it put into the queue, and of nothing secret', async () => {
    await using collector = await createCollector();
    await using stage = await createStage({ workers: 0 });
    const server = await startServer({ ...stage.env, OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
    const { token } = stage.simulator.credentials;
    try {
      const body = { domain: 'shop.example.org', requestedBy: token.slice(0, 100) };
      const { body: receipt } = await server.fetch('POST', '/v1/domains', { body });
      expect((await stage.job(receipt.jobId)).opts.telemetry?.metadata).toMatch(/traceparent/);
    } finally {
      // What is left is sent on the way out.
      await server[Symbol.asyncDispose]();
    }
    expect(collector.spans().map(({ name }) => name)).toContainEqual(expect.stringMatching(/^add /));
    expect(collector.text()).toContain('runcloud-domains-server');
    expect(collector.text()).not.toContain(token);
  });

  test('cleans whatever reaches a span', async () => {
    await using collector = await createCollector();
    const tracing = createTracing({
      ...OFF,
      endpoint: `${collector.endpoint}/v1/traces`,
      scrub: (text) => text.replaceAll('hush', '***'),
    });
    const span = tracing?.telemetry.tracer.startSpan('work');
    span?.setAttribute('result', 'hush 1');
    span?.recordException(new Error('hush 2'));
    span?.end();
    await tracing?.close();
    expect(collector.text()).toContain('*** 1');
    expect(collector.text()).not.toContain('hush');
  });

  test('does not hold up a shutdown: a collector that never answers is given up', async () => {
    const server = createServer(() => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const tracing = createTracing({ ...OFF, endpoint: `http://127.0.0.1:${port}` });
    tracing?.apiCall({ operation: 'ping', method: 'GET', path: '/ping', status: 200, durationMs: 3 });
    // By itself the exporter would wait two seconds for the answer, and then hang up.
    let isOpen = true;
    const waited = new Promise((resolve) =>
      server.once('request', (request) => request.once('close', resolve)),
    );
    await Promise.race([tracing?.close(200), waited.then(() => (isOpen = false))]);
    expect(isOpen).toBe(true);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    // The exporter still waits to try once more, and would keep this process alive.
    await tracing?.close();
  });
});
