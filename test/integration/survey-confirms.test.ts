// doctor --survey waits for a person before it sends anything.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { createSimulator } from '../../packages/simulator/src/index.ts';
import { CONFIRM_CALLS } from '../../src/cli/doctor/messages.ts';
import { runSurvey } from '../../src/cli/doctor/survey.ts';
import { parseConfig } from '../../src/config/load.ts';
import { REQUESTS } from '../../src/doctor/survey.ts';
import { codes } from '../../src/errors.ts';

test.each<[string, number, boolean]>([
  ['y\n', 0, true],
  ['YES\n', 0, true],
  ['n\n', 2, false],
  ['\n', 2, false],
  ['yesterday\n', 2, false],
  ['', 2, false],
])('who answers %j', async (answer, code, isSent) => {
  await using simulator = await createSimulator();
  const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-asks-'));
  const { config } = parseConfig({
    RUNCLOUD_API_URL: `${simulator.url}/api/v3`,
    RUNCLOUD_API_TOKEN: simulator.credentials.token,
    RUNCLOUD_SERVER_ID: '1903',
    RUNCLOUD_APP_ID: '646',
  });
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const terminal = { out: say, err: say, now: Date.now };
  const input = Object.assign(new PassThrough(), { isTTY: true });
  input.end(answer);
  try {
    const tools = { config, version: '0.1.0', terminal, input };
    expect(await runSurvey({ out: join(folder, 'report.json') }, tools)).toBe(code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  expect(simulator.state.calls.length > 0).toBe(isSent);
  const calls = lines.filter((line) => line.startsWith('  GET '));
  expect([calls.length, new Set(calls).size]).toEqual([REQUESTS.length, REQUESTS.length]);
  expect(lines.filter((line) => line.includes('GET /ping')).length).toBe(2);
  expect(lines.indexOf(CONFIRM_CALLS)).toBeGreaterThan(lines.findIndex((line) => line.includes('GET /ping')));
});

test('who is not let in gets the fix, and no file that blocks the next run', async () => {
  await using simulator = await createSimulator();
  const folder = mkdtempSync(join(tmpdir(), 'runcloud-domains-asks-'));
  const out = join(folder, 'report.json');
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const survey = (token: string): Promise<number> => {
    const { config } = parseConfig({
      RUNCLOUD_API_URL: `${simulator.url}/api/v3`,
      RUNCLOUD_API_TOKEN: token,
      RUNCLOUD_SERVER_ID: '1903',
      RUNCLOUD_APP_ID: '646',
    });
    const terminal = { out: say, err: say, now: Date.now };
    return runSurvey({ out, yes: true }, { config, version: '0.1.0', terminal, input: new PassThrough() });
  };
  try {
    expect(await survey('not-the-token-of-anybody')).toBe(1);
    expect(existsSync(out)).toBe(false);
    expect(lines.at(-1)).toContain(codes['runcloud-unauthorized'].fix);
    expect(lines.join()).not.toContain('--set');
    expect(await survey(simulator.credentials.token)).toBe(0);
    expect(existsSync(out)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
