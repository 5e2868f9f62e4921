// `runcloud-simulator` on its own: its arguments, and a worker in another process that talks to it.
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { runCommandLine } from '../../packages/simulator/src/command-line.ts';
import { VARIANT_NAMES } from '../../packages/simulator/src/index.ts';
import { spawnCli, startCli } from '../helpers/cli.ts';
import { until } from '../helpers/until.ts';
import { createStage } from '../helpers/worker.ts';

const script = fileURLToPath(new URL('../../packages/simulator/src/main.ts', import.meta.url));
const runner = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));

async function call(...argv: string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const stopped = Promise.resolve();
  const code = await runCommandLine(argv, {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    stopped,
    version: '1.2.3',
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('its arguments', () => {
  test.each([
    ['a port that is not a number', ['--port', 'x'], /--port must be a whole number/],
    ['a port above the highest', ['--port', '65536'], /--port must be a whole number/],
    ['an unknown option', ['--prot', '1'], /--prot/],
    ['an unknown switch', ['--set', 'colour=red'], /unknown switch/],
    [
      'an unknown value; the known ones are named',
      ['--set', 'metaShape=round'],
      /pagination, lastPage, laravel/,
    ],
  ])('%s ends with 2', async (_, argv, sentence) => {
    const { code, out, err } = await call(...argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(sentence);
  });

  test('--help, --version and --switches print and end with 0', async () => {
    expect(await call('--version')).toEqual({ code: 0, out: '1.2.3', err: '' });
    expect(await call('--help')).toMatchObject({ code: 0, out: expect.stringMatching(/^Usage: .*--set/s) });
    const { code, out } = await call('--switches');
    expect(code).toBe(0);
    for (const name of VARIANT_NAMES) expect(out).toMatch(new RegExp(`^${name}=`, 'm'));
  });

  test('a port that is in use is named', async () => {
    await using first = startCli(['--port', '0'], { script });
    const port = await until(() => /simulated at \S+:(\d+);/.exec(first.err())?.[1], 'it listens');
    expect(await call('--port', port)).toMatchObject({ code: 2, err: expect.stringContaining(port) });
  });
});

test('--set changes its answers', async () => {
  await using cli = startCli(['--port', '0', '--set', 'metaShape=laravel', 'sslDates=unix'], { script });
  const url = await until(() => /simulated at (\S+);/.exec(cli.err())?.[1], 'it listens');
  const variants = (await (await fetch(`${url}/_simulator/variants`)).json()) as { current: object };
  expect(variants.current).toMatchObject({ metaShape: 'laravel', sslDates: 'unix', validation: 'http-01' });
});

test('`npm run cli simulate` and a worker work together, each in its own process', async () => {
  await using stage = await createStage({ workers: 0 });
  await using simulator = startCli(['cli', 'simulate', '--port', '0'], { script: runner });
  await until(
    () => /TLS_PROBE_ADDRESS=\S+ /.test(simulator.err()),
    'the simulator has printed its addresses',
  );
  const printed = Object.fromEntries(
    [...simulator.err().matchAll(/([A-Z]\w+)=(\S+)/g)].map(([, name, value]) => [name, value]),
  ) as Record<string, string>;
  const env = {
    REDIS_URL: stage.config.redisUrl,
    QUEUE_PREFIX: stage.config.queuePrefix,
    ...printed,
    TLS_PROBE: 'off',
  };
  expect(printed).toMatchObject({ TLS_PROBE_ADDRESS: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
  await using worker = startCli(['worker'], { env });
  await until(() => worker.out().includes('ready for jobs'), 'the worker is ready');
  expect((await spawnCli(['add', 'a.example.org', '--wait'], { env })).code).toBe(0);
  expect(simulator.out()).toMatch(/^POST \S+\/domains -> 20[01]$/m);
  worker.child.kill('SIGTERM');
  simulator.child.kill('SIGTERM');
  expect([(await worker.ended).code, (await simulator.ended).code]).toEqual([0, 0]);
});
