// Where the configuration comes from besides the environment: wp-config.php and .env.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { judgeEnvFile } from '../../src/config/env-file.ts';
import { ConfigError, loadConfig, type ParseOptions, parseConfig } from '../../src/config/load.ts';

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
  (code: string): (() => Buffer) =>
  () =>
    Buffer.from(`<?php\n${code}`);

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

  const refused = `if (getenv('STAGE')) { define('WU_RUNCLOUD_APP_ID', 33); } define('WU_RUNCLOUD_APP_ID', 22);`;

  test('names file, line and constant, and what to set, where a definition may not count', () => {
    expect(failure(env, { readFile: php(refused) }).problems).toEqual([
      'WU_RUNCLOUD_APP_ID in /srv/wp-config.php is not used: line 2 names it inside an if: only a definition at the top level counts; set RUNCLOUD_APP_ID in the environment or in .env; example: RUNCLOUD_APP_ID=646',
    ]);
  });

  test('refuses nothing that the environment sets, by whichever name', () => {
    for (const name of ['RUNCLOUD_APP_ID', 'WU_RUNCLOUD_APP_ID']) {
      const { config } = parseConfig({ ...env, [name]: '7' }, { readFile: php(refused) });
      expect(config.runcloud.appId).toBe(7);
    }
    const token = `if ($a) define('WU_RUNCLOUD_API_TOKEN', 'hunter2');`;
    const { config } = parseConfig({ ...env, ...pair }, { readFile: php(token) });
    expect(config.runcloud.credentials?.kind).toBe('key');
  });

  test.each(["define('WU_RUNCLOUD_API_TOKEN', 'hunter2'", "define('WU_RUNCLOUD_API_TOKEN', 'hunter2';"])(
    'refuses a file that is no PHP without a word of it: %s',
    (code) => {
      const { message } = failure(env, { readFile: php(code) });
      expect(message).toMatch(/WP_CONFIG cannot be read: line 2 or what follows is no PHP/);
      expect(message).not.toContain('hunter2');
    },
  );

  test('is read in any encoding that PHP reads, and refused in UTF-16', () => {
    const latin = Buffer.from(`<?php // schön\ndefine('WU_RUNCLOUD_APP_ID', 22);`, 'latin1');
    expect(parseConfig(env, { readFile: () => latin }).config.runcloud.appId).toBe(22);
    const wide = Buffer.from(`\ufeff<?php define('WU_RUNCLOUD_APP_ID', 22);`, 'utf16le');
    expect(failure(env, { readFile: () => wide }).message).toMatch(
      /WP_CONFIG cannot be read: .*write it as UTF-8/,
    );
  });

  test('is refused where it is too large to be one', () => {
    const readFile = () => Buffer.alloc(5_000_000, '<?php // \n');
    expect(failure(env, { readFile }).message).toMatch(/WP_CONFIG cannot be read: it is larger than 4 MB/);
  });

  test('warns of a file without any of the constants', () => {
    expect(parseConfig(env, { readFile: php(`define('DB_NAME', 'x');`) }).warnings).toEqual([
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
      writeFileSync(
        join(directory, '.env'),
        'RUNCLOUD_APP_ID=3\nWORKER_CONCURRENCY="3"\nLOG_LEVEL=debug\r\n',
      );
      const { config } = loadConfig({ RUNCLOUD_APP_ID: '4', WORKER_CONCURRENCY: '' }, directory);
      expect([config.runcloud.appId, config.worker.concurrency, config.log.level]).toEqual([4, 3, 'debug']);
    });
  });

  test.each([
    ['REDIS_URL: redis://x', ['line 1 of .env has no effect: write NAME=value']],
    ['REDIS_URL redis://x', ['line 1 of .env has no effect: write NAME=value']],
    ['# a\n\n  REDIS_URL: redis://x?a=hunter2', ['line 3 of .env has no effect: write NAME=value']],
    ['SERVER PATH=/x', ['line 1 of .env has no effect: write NAME=value']],
    ['# a remark\n \nexport RUNCLOUD_APP_ID = 3 # three\n', []],
    ['WU_X="one\nnot a variable\nRUNCLOUD_APP_ID=9"\nRUNCLOUD_APP_ID=3', []],
    ["RUNCLOUD_APP_ID='3\nhunter2", ['line 2 of .env has no effect: write NAME=value']],
    ...['"hunter2"x', "'hunter2'x # y", '`hunter2` x', '"a\\"b"', '"a"C=3', '"a\nb"c'].map(
      (value): [string, string[]] => [
        `REDIS_URL=${value}\nRUNCLOUD_APP_ID=3`,
        [
          'line 1 of .env sets REDIS_URL, but the text after the closing quote has no effect: remove it, or put the whole value in quotes',
        ],
      ],
    ),
    ...['pa#ss', '#pass', 'redis://:pa#ss@a # remark'].map((value): [string, string[]] => [
      `REDIS_URL=${value}\nRUNCLOUD_APP_ID=3`,
      ['line 1 of .env sets REDIS_URL, but the text from the # on has no effect: put the value in quotes'],
    ]),
    ...['"a" # b', '"a"# b', "'a#b'", 'a # b#c', ' # b#c', '"a\nb"', '"a#b', 'a"b"c', ''].map(
      (value): [string, string[]] => [`REDIS_URL=${value}\nRUNCLOUD_APP_ID=3`, []],
    ),
    [
      'RUNCLOUD_APP_ID=3\nLOG_LEVEL=debug\nexport RUNCLOUD_APP_ID=4',
      ['line 3 of .env sets RUNCLOUD_APP_ID again, so line 1 has no effect: remove one of them'],
    ],
  ])('the lines of .env without an effect are told: %j', (text, warnings) => {
    expect(judgeEnvFile(text)).toEqual(warnings);
  });

  test('what is told of .env stands among the warnings', () => {
    inDirectory((directory) => {
      writeFileSync(join(directory, '.env'), 'RUNCLOUD_APP_ID 3\n');
      expect(loadConfig({}, directory).warnings).toEqual(['line 1 of .env has no effect: write NAME=value']);
    });
  });

  test.each<readonly [string, (text: string) => Buffer]>([
    ['a byte order mark', (text) => Buffer.from(`\ufeff${text}`)],
    ['UTF-16', (text) => Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['CR as its line end', (text) => Buffer.from(text.replaceAll('\n', '\r'))],
  ])('.env with %s keeps its first variable', (_, encode) => {
    inDirectory((directory) => {
      writeFileSync(join(directory, '.env'), encode('REDIS_URL=redis://first:6379\nRUNCLOUD_APP_ID=3\n'));
      const { config } = loadConfig({}, directory);
      expect([config.redisUrl, config.runcloud.appId]).toEqual(['redis://first:6379', 3]);
    });
  });

  test('.env with a broken character is a problem that names file and line', () => {
    inDirectory((directory) => {
      const path = join(directory, '.env');
      writeFileSync(path, Buffer.from('RUNCLOUD_APP_ID=3\n# \xe4\nRUNCLOUD_API_TOKEN=hunter2\n', 'latin1'));
      expect(() => loadConfig({}, directory)).toThrow(`${path} cannot be read: it is broken UTF-8 in line 2`);
    });
  });

  test('without .env the environment alone counts', () => {
    inDirectory((directory) => {
      expect(loadConfig({ RUNCLOUD_APP_ID: '4' }, directory).config.runcloud.appId).toBe(4);
    });
  });

  test('a .env that cannot be read is a problem', () => {
    inDirectory((directory) => {
      mkdirSync(join(directory, '.env'));
      expect(() => loadConfig({}, directory)).toThrow(ConfigError);
    });
  });
});
