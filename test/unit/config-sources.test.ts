// Where the configuration comes from besides the environment: wp-config.php and .env.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ConfigError, loadConfig, type ParseOptions, parseConfig } from '../../src/config.ts';

type Env = Record<string, string>;
const pair = { RUNCLOUD_API_KEY: 'key-4711', RUNCLOUD_API_SECRET: 'sec-4711' };

function failure(env: Env, options?: ParseOptions): ConfigError {
  try {
    parseConfig(env, options);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

const php =
  (code: string): (() => string) =>
  () =>
    `<?php\n${code}`;

describe('WP_CONFIG', () => {
  const env = { WP_CONFIG: '/srv/wp-config.php' };

  test('gives the five constants', () => {
    const readFile = php(`
      define( 'WU_RUNCLOUD_API_KEY', 'key-4711' );
      define( 'WU_RUNCLOUD_API_SECRET', 'sec-4711' );
      define( 'WU_RUNCLOUD_SERVER_ID', '1903' );
      define( 'WU_RUNCLOUD_APP_ID', 646 );`);
    const { config, warnings } = parseConfig(env, { readFile });
    expect(config.runcloud).toMatchObject({
      version: 2,
      credentials: { kind: 'key', key: 'key-4711', secret: 'sec-4711' },
      serverId: 1903,
      appId: 646,
    });
    expect(warnings).toEqual([]);
  });

  test('has less to say than the environment and its aliases', () => {
    const readFile = php(`define('WU_RUNCLOUD_SERVER_ID', 1); define('WU_RUNCLOUD_APP_ID', 2);`);
    const { config } = parseConfig(
      { ...env, RUNCLOUD_SERVER_ID: '3', WU_RUNCLOUD_APP_ID: '4' },
      { readFile },
    );
    expect(config.runcloud).toMatchObject({ serverId: 3, appId: 4 });
  });

  test('does not overrule a key pair of the environment by a token', () => {
    const readFile = php(`define('WU_RUNCLOUD_API_TOKEN', 'tok-4711');`);
    const { config, warnings } = parseConfig({ ...env, ...pair }, { readFile });
    expect(config.runcloud.credentials?.kind).toBe('key');
    expect(warnings).toEqual([]);
  });

  test('names file and constant where a value is wrong', () => {
    const readFile = php(`define('WU_RUNCLOUD_APP_ID', '646;');`);
    expect(failure(env, { readFile }).problems).toEqual([
      expect.stringMatching(/^WU_RUNCLOUD_APP_ID in \/srv\/wp-config\.php ends with a stray ";"/),
    ]);
  });

  test('warns of what it cannot read, and of a file without any of the constants', () => {
    const warningsOf = (code: string) => parseConfig(env, { readFile: php(code) }).warnings;
    expect(warningsOf(`define('WU_RUNCLOUD_APP_ID', getenv('A'));`)).toEqual([
      expect.stringMatching(/^\/srv\/wp-config\.php: WU_RUNCLOUD_APP_ID is not a literal/),
    ]);
    expect(warningsOf(`define('DB_NAME', 'x');`)).toEqual([
      expect.stringMatching(/defines none of the constants/),
    ]);
  });
});

describe('on disk', () => {
  const inDirectory = (run: (directory: string) => void): void => {
    const directory = mkdtempSync(join(tmpdir(), 'config-'));
    try {
      run(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  test('a WP_CONFIG that is missing, or a directory, is a problem with its fix', () => {
    inDirectory((directory) => {
      expect(failure({ WP_CONFIG: join(directory, 'none.php') }).message).toMatch(
        /WP_CONFIG cannot be read: no such file/,
      );
      expect(failure({ WP_CONFIG: directory }).message).toMatch(/it is a directory; name the file itself/);
    });
  });

  test('.env is read, the environment wins, and an empty variable does not count', () => {
    inDirectory((directory) => {
      writeFileSync(join(directory, '.env'), 'JOB_ATTEMPTS=3\nWORKER_CONCURRENCY="3"\nLOG_LEVEL=debug\r\n');
      const { config } = loadConfig({ JOB_ATTEMPTS: '4', WORKER_CONCURRENCY: '' }, directory);
      expect([config.jobs.attempts, config.worker.concurrency, config.log.level]).toEqual([4, 3, 'debug']);
    });
  });

  test('without .env the environment alone counts', () => {
    inDirectory((directory) => {
      expect(loadConfig({ JOB_ATTEMPTS: '4' }, directory).config.jobs.attempts).toBe(4);
    });
  });

  test('a .env that cannot be read is a problem', () => {
    inDirectory((directory) => {
      mkdirSync(join(directory, '.env'));
      expect(() => loadConfig({}, directory)).toThrow(ConfigError);
    });
  });
});
