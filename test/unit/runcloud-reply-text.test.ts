// RunCloud's own words out of refused replies, Retry-After, and what must never get through.
import { describe, expect, test } from '@jest/globals';
import { toRetryAfterMs } from '../../src/runcloud/failures.ts';
import { toReplyText } from '../../src/runcloud/reply-text.ts';
import { createRedact, toLine } from '../../src/untrusted/redact.ts';

const plain = createRedact([]);
const words = (body: unknown): string | undefined =>
  toReplyText(typeof body === 'string' ? body : JSON.stringify(body), plain).text;

describe('RunCloud’s message', () => {
  test.each<[string, unknown, string | undefined]>([
    ['is the message field', { message: 'Missing API Token.' }, 'Missing API Token.'],
    [
      'names the fields of a Laravel reply',
      { message: 'The given data was invalid.', errors: { name: ['Too long.', 'Bad.'], www: ['Odd.'] } },
      'The given data was invalid. (name: Too long. Bad.; www: Odd.)',
    ],
    [
      'says nothing twice',
      { message: 'The name has already been taken.', errors: { name: ['The name has already been taken.'] } },
      'The name has already been taken.',
    ],
    ['may consist of field errors alone', { errors: { name: 'Taken.' } }, 'name: Taken.'],
    ['may be a bare list of errors', { errors: ['One.', 'Two.'] }, 'One. Two.'],
    ['may be called error', { error: 'Unauthenticated.' }, 'Unauthenticated.'],
    ['may be nested in error', { error: { message: 'Nope.', code: 7 } }, 'Nope.'],
    ['may be a JSON string', '"Server Error"', 'Server Error'],
    ['may be plain text', 'upstream\n  timed out', 'upstream timed out'],
    [
      'is the title of an HTML page',
      '<html><head><title>502 Bad Gateway</title></head><body>x',
      '502 Bad Gateway',
    ],
    ['is absent in HTML without a title', '<h1>Oops</h1>', undefined],
    ['is absent in an empty body', '', undefined],
    ['is absent in JSON without one', { id: 7, name: 'box-1' }, undefined],
    ['is absent in a JSON list', [{ message: 'x' }], undefined],
    ['is absent where it is no text', { message: { a: 1 } }, undefined],
    ['is absent in half a JSON document', '{"pullKey1":"PLANTED", "message": "hal', undefined],
  ])('%s', (_, body, expected) => {
    expect(words(body)).toBe(expected);
  });

  test('is one line of at most 300 characters', () => {
    const text = words({ message: `a\r\n\u0007b ${'long words '.repeat(100)}` }) ?? '';
    expect(text).toHaveLength(300);
    expect(text.startsWith('a b long words')).toBe(true);
    expect(text.endsWith('…')).toBe(true);
  });

  test('keeps the field errors apart as well', () => {
    const body = JSON.stringify({
      message: 'No.',
      errors: { name: ['Taken.'], www: 7, odd: [null, 'Odd.'] },
    });
    expect(toReplyText(body, plain).fieldErrors).toEqual({ name: ['Taken.'], odd: ['Odd.'] });
  });

  test('a field called __proto__ changes no prototype', () => {
    const { fieldErrors } = toReplyText('{"errors":{"__proto__":["x"]}}', plain);
    expect(Object.getPrototypeOf(fieldErrors)).toBe(Object.prototype);
  });
});

describe('redaction', () => {
  const redact = createRedact(['s3cr/et+token', 'abc']);
  test.each<[string, string, string]>([
    ['hides a credential', 'Token s3cr/et+token is wrong', 'Token *** is wrong'],
    ['hides its JSON spelling', 'Token s3cr\\/et+token', 'Token ***'],
    ['hides its URL spelling', '?t=s3cr%2Fet%2Btoken', '?t=***'],
    ['leaves words alone that a short secret would blank out', 'abcdef', 'abcdef'],
    ['hides its form spelling', 'again t=s3cr%2fet%2btoken', 'again t=***'],
    ['hides its base64', `got ${btoa('s3cr/et+token')}`, 'got ***=='],
    ['hides a short one as a word', 'Token abc is wrong', 'Token *** is wrong'],
    ['hides a password in a URL', 'see https://u:hunter2@r.example.org/', 'see https://u:***@r.example.org/'],
    [
      'hides a field of any spelling',
      'got access-token=abcdef&set_cookie=x',
      'got access-token=***&set_cookie=***',
    ],
    ['hides an Authorization value', 'sent Bearer eyJhbGciOi.x', 'sent Bearer ***'],
    ['hides a PEM block', 'a -----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- b', 'a *** b'],
    ['hides a PEM block that was cut off', 'a -----BEGIN RSA PRIVATE KEY-----\nMII', 'a ***'],
    ['hides a quoted key field', 'got {"privateKey":"MI\\nI","x":"y"}', 'got {"privateKey":"***","x":"y"}'],
    ['hides an escaped key field', 'got {\\"pullKey1\\":\\"abcdef\\"}', 'got {\\"pullKey1\\":\\"***\\"}'],
    ['hides a key in a query', 'GET /x?api_key=abcdef&page=2', 'GET /x?api_key=***&page=2'],
    ['hides long runs of key material', `key ${'A'.repeat(64)}.`, 'key ***.'],
    ['leaves a long domain label alone', 'a'.repeat(63), 'a'.repeat(63)],
    [
      'leaves sentences about fields alone',
      'privateKey: The field is required.',
      'privateKey: The field is required.',
    ],
  ])('%s', (_, text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  test('hides before it shortens, so that no half of a secret stays', () => {
    const text = `${'x '.repeat(145)}s3cr/et+token`;
    expect(toLine(redact(text))).not.toContain('s3cr');
    expect(toReplyText(JSON.stringify({ message: text }), redact).text).not.toContain('s3cr');
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  test.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    ['30', 30_000],
    [' 7 ', 7000],
    ['-5', 0],
    ['1.5', undefined],
    ['1e3', undefined],
    ['soon', undefined],
    ['2026', 2_026_000],
    ['job 7', undefined],
    ['99999999999', 99_999_999_999_000],
    ['9'.repeat(400), undefined],
    ['Sun, 01 Mar 2026 12:00:10 GMT', 10_000],
    ['Sunday, 01-Mar-26 12:00:10 GMT', 10_000],
    ['Sun Mar  1 12:00:10 2026', 10_000],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['Sun, 41 Mar 2026 11:00:00 GMT', undefined],
    ['2026-03-01T12:00:10Z', undefined],
  ])('%j is %j ms', (header, expected) => {
    expect(toRetryAfterMs(header, now)).toBe(expected);
  });
});
