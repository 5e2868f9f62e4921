// Nothing secret leaves the logger, and everything else does.
import { describe, expect, test } from '@jest/globals';
import { createLogger, type Logger, type LoggerOptions, scrub } from '../../src/logger/logger.ts';

const token = 'tök+en/4711=x"y\\z';
const key = 'key-4711-abcdef';
const secret = 'sec-4711-abcdef';
const basic = Buffer.from(`${key}:${secret}`).toString('base64');
const digits = '471147114711';
const short = 'a1b2';
const secrets = [token, key, secret, basic, digits, short];

/** Field values that nobody configured as secrets; only their field's name gives them away. */
const unknown = 'never-seen-before';

interface Written {
  readonly text: string;
  readonly lines: Record<string, unknown>[];
}

function written(log: (logger: Logger) => void, options: Partial<LoggerOptions> = {}): Written {
  const chunks: string[] = [];
  const destination = { write: (chunk: string) => chunks.push(chunk) };
  log(createLogger({ level: 'trace', format: 'json', secrets, destination, ...options }));
  const text = chunks.join('');
  const lines = options.format === 'pretty' ? [] : text.trimEnd().split('\n');
  return { text, lines: lines.filter((line) => line !== '').map((line) => JSON.parse(line)) };
}

const first = (log: (logger: Logger) => void): Record<string, unknown> => written(log).lines[0] ?? {};

function withCause(text: string): Error {
  const inner = new TypeError(`inner ${text}`, { cause: { why: text, list: [text] } });
  const error = new Error(`outer ${text}`, { cause: inner });
  return Object.assign(error, {
    code: 'ECODE',
    options: { headers: { authorization: unknown } },
    extra: unknown,
  });
}

const places: readonly (readonly [sentence: string, log: (logger: Logger, text: string) => void])[] = [
  ['the message', (logger, text) => logger.info(`before ${text} after`)],
  ['an argument of the message', (logger, text) => logger.info('got %s and %j', text, { text })],
  ['a field', (logger, text) => logger.info({ url: text }, 'm')],
  ['a nested field', (logger, text) => logger.info({ a: { b: { c: { d: { e: text } } } } }, 'm')],
  ['an array', (logger, text) => logger.info({ list: [text, [text, { text }]] }, 'm')],
  ['the name of a field', (logger, text) => logger.info({ [text]: 1, nested: { [text]: 1 } }, 'm')],
  ['an error', (logger, text) => logger.error(new Error(text))],
  ['an error with causes', (logger, text) => logger.error({ err: withCause(text) }, 'm')],
  [
    'an error below another name',
    (logger, text) => logger.error({ deep: [{ reason: withCause(text) }] }, 'm'),
  ],
  ['an error of errors', (logger, text) => logger.error(new AggregateError([new Error(text)], text))],
  ['a thrown text', (logger, text) => logger.error({ err: text }, 'm')],
  [
    'the fields of a child logger',
    (logger, text) => logger.child({ url: text, err: withCause(text) }).info('m'),
  ],
  ['JSON in a text', (logger, text) => logger.info({ body: JSON.stringify({ text }) }, 'm')],
];

const forms: readonly (readonly [sentence: string, form: (text: string) => string])[] = [
  ['plain', (text) => text],
  ['percent-encoded', encodeURIComponent],
  [
    'percent-encoded in lower case',
    (text) => encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase()),
  ],
  ['form-encoded', (text) => new URLSearchParams({ text }).toString()],
  ['base64', (text) => Buffer.from(text).toString('base64')],
  ['base64url', (text) => Buffer.from(text).toString('base64url')],
  ['base64 behind a user name', (text) => `Basic ${Buffer.from(`me:${text}`).toString('base64')}`],
  ['base64 in the middle', (text) => Buffer.from(`x${text}:y`).toString('base64')],
];

/** Twelve characters in a row of a secret are a leak, wherever they begin. */
function leaks(text: string, planted: string): string[] {
  const pieces = Array.from({ length: Math.max(0, planted.length - 11) }, (_, i) => planted.slice(i, i + 12));
  return pieces.filter((piece) => text.includes(piece));
}

describe.each(['json', 'pretty'] as const)('as %s, no planted secret is written', (format) => {
  describe.each(forms)('%s', (_, form) => {
    test.each(places)('in %s', (__, log) => {
      for (const planted of [token, key, secret, digits]) {
        const { text } = written((logger) => log(logger, form(planted)), { format });
        expect(text).toContain('***');
        expect(text).not.toContain(planted);
        expect(text).not.toContain(Buffer.from(planted).toString('base64').replace(/=+$/, ''));
        expect(leaks(text, planted)).toEqual([]);
        expect(text).not.toContain(unknown);
      }
    });
  });

  test('the Basic header of a key pair', () => {
    const { text } = written((logger) => logger.info(`Authorization: Basic ${basic}`), { format });
    expect(text).not.toContain(basic);
  });
});

const fields = [
  'authorization',
  'Authorization',
  'token',
  'apiKey',
  'api_key',
  'X-Api-Key',
  'secret',
  'password',
];

describe('a field whose name says that it is secret', () => {
  test.each([...fields, 'privateKey', 'private_key', 'pullKey1', 'pullKey2', 'set-cookie'])('%s', (field) => {
    const { text } = written((logger) => {
      logger.info({
        [field]: unknown,
        headers: { [field]: unknown },
        list: [{ a: { b: { [field]: [unknown] } } }],
      });
      logger.child({ [field]: unknown }).info({ body: { [field]: { inner: unknown } } });
      logger.error({ err: new Error('x', { cause: { [field]: unknown } }) });
    });
    expect(text).not.toContain(unknown);
  });

  test('says whether there is one, where that is all it says', () => {
    expect(first((logger) => logger.info({ token: null, secret: true }))).toMatchObject({
      token: null,
      secret: true,
    });
  });
});

describe('unconfigured secrets', () => {
  test('a password in a URL', () => {
    expect(first((logger) => logger.info('redis://u:hunter2@r:6379')).msg).toBe('redis://u:***@r:6379');
  });

  test('a private key', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----';
    expect(first((logger) => logger.info(`got ${pem}!`)).msg).toBe('got ***!');
    expect(first((logger) => logger.info(`got ${pem.slice(0, 40)}`)).msg).toBe('got ***');
  });
});

describe('a line', () => {
  test('is one JSON object with level, time and message', () => {
    const { text, lines } = written((logger) =>
      logger.warn({ domain: 'example.org', attempt: 2 }, 'two\nlines'),
    );
    expect(text.match(/\n/g)).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'warn', domain: 'example.org', attempt: 2, msg: 'two\nlines' });
    expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  test('stays valid JSON where digits of a secret are part of a number', () => {
    const line = first((logger) => logger.info({ size: 94711471147119, exact: Number(digits) }));
    expect(line).toMatchObject({ size: 94711471147119, exact: '***' });
  });

  test('carries type, message, code, stack and causes of an error, and nothing else of it', () => {
    const { err } = first((logger) => logger.error({ err: withCause('x') }, 'm'));
    expect(err).toMatchObject({
      type: 'Error',
      message: 'outer x',
      code: 'ECODE',
      stack: expect.stringContaining('logger.test'),
      cause: {
        type: 'TypeError',
        message: 'inner x',
        stack: expect.any(String),
        cause: { why: 'x', list: ['x'] },
      },
    });
    expect(Object.keys(err ?? {}).toSorted()).toEqual(['cause', 'code', 'message', 'stack', 'type']);
  });

  test('survives an error that is its own cause, and an object that holds itself', () => {
    const error = new Error('loop');
    error.cause = error;
    const object: Record<string, unknown> = { name: 'loop' };
    object.self = object;
    const { lines } = written((logger) => logger.error({ err: error, object }, 'm'));
    expect(lines[0]).toMatchObject({ msg: 'm', err: { message: 'loop' } });
  });

  test('is not written below the level, and never when silent', () => {
    expect(written((logger) => logger.debug('x'), { level: 'info' }).text).toBe('');
    expect(written((logger) => logger.fatal('x'), { level: 'silent' }).text).toBe('');
  });

  const unseen = 'a\u001b[2J\u009bb\b\r\f\u202ec\u2066\u200d\u00ad\u2028\ud800 \u{e0041}d';

  test.each(['json', 'pretty'] as const)(
    'as %s holds nothing that steers a terminal or is not seen',
    (format) => {
      const { text } = written(
        (logger) => logger.info({ domain: unseen, [unseen]: 1, err: new Error(unseen) }, unseen),
        { format },
      );
      expect(text).toContain('a\\u001b[2J\\u009bb');
      expect(text).toContain('\\u202ec\\u2066\\u200d\\u00ad\\u2028\\ud800 \\udb40\\udc41d');
      expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    },
  );

  test('as json tells the same text to who parses it', () => {
    expect(written((logger) => logger.info(unseen)).lines[0]).toMatchObject({ msg: unseen });
  });

  test('in pretty form is readable', () => {
    const { text } = written((logger) => logger.info({ domain: 'example.org' }, 'hello'), {
      format: 'pretty',
    });
    expect(text).toMatch(/INFO: hello\n\s+domain: "example\.org"/);
  });
});

describe('scrub', () => {
  test('replaces every secret, the longest first', () => {
    expect(scrub('abcdef-ghijkl and abcdef', ['abcdef', 'abcdef-ghijkl'])).toBe('*** and ***');
  });

  test('hides a short secret where it stands alone, and leaves words that contain it', () => {
    expect(scrub('pass 5, "5", x=5&y and :5@ but 15:45 and v5', ['5'])).toBe(
      'pass ***, "***", x=***&y and :***@ but 15:45 and v5',
    );
    expect(scrub('redis-unavailable: redis', ['redis'])).toBe('redis-unavailable: ***');
  });

  test('ignores empty secrets', () => {
    expect(scrub('nothing to hide', ['', ''])).toBe('nothing to hide');
  });

  test('takes a secret literally', () => {
    expect(scrub('a.c*d[e] abcxd', ['a.c*d[e]'])).toBe('*** abcxd');
  });
});
