// No secret leaves the worker: all that it prints and all that it leaves in Redis is searched, through success and failure.
import { describe, expect, test } from '@jest/globals';
import { startCli } from '../helpers/cli.ts';
import { dump, echoOf, found, misbehave, secretsOf } from '../helpers/secrets.ts';
import { until } from '../helpers/until.ts';
import { createStage } from '../helpers/worker.ts';

const NAMES = ['good', 'rejected', 'forbidden', 'flaky', 'html', 'dropped'].map((n) => `${n}.example.org`);

describe.each(['v2', 'v3'] as const)('with API %s', (version) => {
  test.concurrent('nothing secret is in stdout, stderr, jobs, their logs and reasons, or records', async () => {
    await using stage = await createStage({ version, workers: 0 });
    misbehave(stage);
    await using worker = startCli(['worker'], {
      env: {
        ...stage.env,
        RETRY_FOR: '12s',
        LOG_LEVEL: 'trace',
        LOG_FORMAT: version === 'v2' ? 'json' : 'pretty',
      },
    });
    await until(() => worker.out().includes('ready for jobs'), 'the worker is ready');
    const added = await Promise.all(NAMES.map((domain) => stage.add('add-domain', { domain })));
    for (const id of added) await stage.ended(id);
    await stage.ended(await stage.add('redeploy-ssl', { appId: 646 }));
    await stage.ended(await stage.add('remove-domain', { domain: 'good.example.org' }));
    await stage.ended(await stage.add('no-such-job', {}));
    await stage.idle();
    // Refused credentials hold everything, so they come last.
    stage.simulator.addFault({ kind: 'status', status: 401, body: echoOf(stage) });
    await stage.add('remove-domain', { domain: 'unauthorized.example.org' });
    await until(() => /HTTP 401|refuse/.test(worker.out()), 'the refusal is told');
    worker.child.kill('SIGTERM');
    const { out, err } = await worker.ended;

    const failed = await stage.queue.getFailed();
    expect(failed.map(({ failedReason }) => failedReason.split(':')[0]).toSorted()).toEqual([
      'runcloud-forbidden',
      'runcloud-rejected',
      'unknown-job',
    ]);
    const kept = await dump(stage);
    // The search would find them: what surrounds the secrets is there.
    expect(kept).toMatch(/Bad credentials/);
    expect(out).toMatch(/Bad credentials/);
    expect(kept).toMatch(/stacktrace/);
    const secrets = secretsOf(stage);
    expect({ stdout: found(out, secrets), stderr: found(err, secrets), redis: found(kept, secrets) }).toEqual(
      {
        stdout: [],
        stderr: [],
        redis: [],
      },
    );
  });
});

test('a worker that cannot reach its Redis does not print the password of its URL', async () => {
  await using worker = startCli(['worker'], {
    env: {
      REDIS_URL: 'redis://somebody:a0secret0password@127.0.0.1:1',
      RUNCLOUD_API_TOKEN: 'a0secret0token0for0nobody',
    },
  });
  await until(() => worker.out().includes('redis-error'), 'it has complained');
  worker.child.kill('SIGTERM');
  const { out, err } = await worker.ended;
  expect(found(out + err, ['a0secret0password', 'a0secret0token0for0nobody'])).toEqual([]);
});
