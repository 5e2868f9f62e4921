// Who may do what, and what an error looks like from outside.
import { describe, expect, test } from '@jest/globals';
import { createToken } from '../../src/config/credential-hashes.ts';
import { CodedError, codes } from '../../src/errors.ts';
import { allows, authorize, identify, refuseCrossSite } from '../../src/server/auth.ts';
import { parseIdempotencyKey } from '../../src/server/idempotency.ts';
import { problemDocument, problemOf, toRefusal } from '../../src/server/problems.ts';

const [old, fresh] = [createToken(), createToken()];
/** Of the refusal that `call` throws; undefined: none. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return toRefusal(error)?.code;
  }
}

const entries = [
  { name: 'shop-1', role: 'enqueue' as const, hash: old.hash },
  { name: 'shop-2', role: 'enqueue' as const, hash: fresh.hash },
];

describe('a caller', () => {
  test('is known by either of two tokens while they are exchanged', () => {
    for (const [token, name] of [
      [old.token, 'shop-1'],
      [fresh.token, 'shop-2'],
    ])
      expect(identify({ authorization: `Bearer ${token}` }, entries)).toEqual({ name, role: 'enqueue' });
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer x',
    `Basic ${old.token}`,
    `Bearer ${old.hash}`,
    `Bearer ${old.token} x`,
  ])('is nobody by %p', (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    expect(identify(headers, entries)).toBeUndefined();
  });

  test.each([
    ['localhost:8787', true],
    ['127.0.0.1', true],
    ['[::1]:8787', true],
    ['evil.example', false],
    ['127.0.0.1.evil.example', false],
    [undefined, false],
  ])('without tokens, by the name %p, is local: %p', (host, isLocal) => {
    const caller = identify(host === undefined ? {} : { host }, []);
    expect(caller?.name).toBe(isLocal ? 'local' : undefined);
  });

  test('of the role operate may do all; enqueue and read have nothing in common', () => {
    for (const needed of ['enqueue', 'read', 'operate', 'anyone'] as const) {
      expect(allows('operate', needed)).toBe(true);
      expect(allows('enqueue', needed)).toBe(needed === 'enqueue' || needed === 'anyone');
      expect(allows('read', needed)).toBe(needed === 'read' || needed === 'anyone');
    }
    expect(codeOf(() => authorize(undefined, 'read'))).toBe('unauthorized');
    expect(codeOf(() => authorize({ name: 'shop', role: 'enqueue' }, 'read'))).toBe('forbidden');
    expect(() => authorize(undefined, 'anyone')).not.toThrow();
  });

  test('is refused if a page of another site sends the request', () => {
    const host = 'domains.example.org';
    expect(() => refuseCrossSite({ host })).not.toThrow();
    expect(() =>
      refuseCrossSite({ host, origin: `https://${host}`, 'sec-fetch-site': 'same-origin' }),
    ).not.toThrow();
    for (const headers of [
      { origin: 'https://example.org' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expect(codeOf(() => refuseCrossSite({ host, ...headers }))).toBe('cross-site');
  });
});

describe('an error', () => {
  test.each(Object.keys(codes) as (keyof typeof codes)[])('of the code %s is a problem document', (code) => {
    const refusal = toRefusal(new CodedError(code, 'a sentence'));
    const problem = problemOf(refusal?.code ?? 'unexpected', refusal?.message ?? '');
    // Whoever calls the API has its documents, not those of the jobs.
    const fix = code === 'invalid-payload' ? expect.stringContaining('/v1/docs') : codes[code].fix;
    expect(problemDocument.parse(problem)).toMatchObject({ code, detail: 'a sentence', fix });
  });

  test('that is a bug is no refusal, so that its message stays inside', () => {
    for (const bug of [
      new TypeError('x is undefined'),
      new RangeError('stack'),
      Object.assign(new Error(), { statusCode: 500 }),
    ])
      expect(toRefusal(bug)).toBeUndefined();
  });

  test.each([
    "Stream isn't writeable and enableOfflineQueue options is false",
    'Connection is closed.',
    'Command timed out',
  ])('of the connection to Redis is `redis-unavailable`: %s', (message) =>
    expect(toRefusal(new Error(message))).toMatchObject({ code: 'redis-unavailable' }),
  );
});

test('a missing right of the Redis user is named, and is no outage', () => {
  const error = Object.assign(
    new Error("NOPERM this user has no permissions to run the 'smembers' command"),
    {
      name: 'ReplyError',
    },
  );
  expect(toRefusal(error)).toMatchObject({
    code: 'redis-no-permission',
    message: expect.stringContaining("'smembers'"),
  });
});

test('an Idempotency-Key is 1 to 255 visible ASCII characters', () => {
  expect(parseIdempotencyKey(undefined)).toBeUndefined();
  expect(parseIdempotencyKey('~'.repeat(255))).toHaveLength(255);
  for (const key of ['', 'a b', 'ü', 'x'.repeat(256), ['a', 'b']])
    expect(codeOf(() => parseIdempotencyKey(key))).toBe('invalid-payload');
});
