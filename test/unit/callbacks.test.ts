// The pure parts of callbacks, and the signature against the specification's own example.
import { describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { judge, KEEP_TRYING_MS } from '../../src/callbacks/judge.ts';
import { toMessage } from '../../src/callbacks/message.ts';
import { parseFailedReason, toFailedReason } from '../../src/callbacks/queue.ts';
import { toHeaders } from '../../src/callbacks/send.ts';
import { toTargets } from '../../src/callbacks/targets.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const at = { attemptsMade: 1, ageMs: 0, nowMs: now, random: 0 };
const HOUR_MS = 3_600_000;

describe('an attempt', () => {
  test.each([200, 201, 204, 299])('that is answered %d is delivered', (status) => {
    expect(judge({ status }, at).kind).toBe('delivered');
  });

  test.each([100, 300, 301, 308, 400, 401, 404, 429, 500, 503])(
    'that is answered %d is tried again',
    (status) => {
      expect(judge({ status }, at)).toMatchObject({ kind: 'retry', delayMs: 5_000 });
    },
  );

  test('that is answered 410 is over', () => {
    expect(judge({ status: 410 }, at)).toMatchObject({
      kind: 'failed',
      reasonCode: 'receiver-gone',
    });
  });

  test('is followed by others at longer and longer intervals, for three days', () => {
    let ageMs = 0;
    const waits: number[] = [];
    for (let attemptsMade = 1; ; attemptsMade += 1) {
      const attempt = { reasonCode: 'receiver-unreachable', error: 'No connection' } as const;
      const judged = judge(attempt, { attemptsMade, ageMs, nowMs: now, random: 0.5 });
      if (judged.kind !== 'retry') {
        expect(judged).toMatchObject({ kind: 'failed', reasonCode: 'receiver-unreachable' });
        break;
      }
      waits.push(judged.delayMs);
      ageMs += judged.delayMs;
    }
    expect(ageMs).toBe(KEEP_TRYING_MS);
    expect(waits.slice(0, 4)).toEqual([3_750, 7_500, 15_000, 30_000]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(4 * HOUR_MS);
    expect(waits.length).toBeGreaterThan(25);
    expect(waits.length).toBeLessThan(60);
  });

  test.each([
    ['120', 120_000],
    ['0', 5_000],
    ['-5', 5_000],
    ['soon', 5_000],
    ['99999999999', 12 * HOUR_MS],
    ['Sun, 01 Mar 2026 13:00:00 GMT', HOUR_MS],
    ['Sun, 01 Mar 2020 13:00:00 GMT', 5_000],
    [undefined, 5_000],
  ])('with Retry-After %s is tried again after that, within limits', (retryAfter, delayMs) => {
    for (const status of [429, 503])
      expect(judge({ status, retryAfter }, at)).toMatchObject({ kind: 'retry', delayMs });
    expect(judge({ status: 500, retryAfter }, at)).toMatchObject({ delayMs: 5_000 });
  });
});

describe('a message', () => {
  const fields = {
    type: 'domain.live',
    at: String(now),
    domain: 'shop.example.org',
    generation: '7',
    state: 'live',
  };
  const same = (text: string): string => text;

  test('has an id that depends on what happened, and on nothing else', () => {
    const id = toMessage(fields, same)?.id;
    expect(toMessage({ ...fields, reason: 'in other words' }, same)?.id).toBe(id);
    expect(id).toMatch(/^msg_[\da-f_]+$/);
    for (const other of [
      { generation: '8' },
      { at: String(now + 1) },
      { domain: 'a.example.org' },
      { state: 'held' },
    ])
      expect(toMessage({ ...fields, ...other }, same)?.id).not.toBe(id);
  });

  test('has an id that sorts by time', () => {
    const ids = [999_999_999_999, now, now + 1, 9_999_999_999_999].map(
      (time) => toMessage({ ...fields, at: String(time) }, same)?.id ?? '',
    );
    expect([...ids].sort()).toEqual(ids);
  });

  test.each([
    {},
    { type: 'domain.born', at: '1' },
    { type: 'domain.live' },
    { type: 'domain.live', at: 'x' },
  ])('is none where the entry is %j', (entry) => {
    expect(toMessage(entry, same)).toBeUndefined();
  });
});

describe('the error that BullMQ keeps of an attempt', () => {
  test('has a code and a sentence, and any sentence survives', () => {
    for (const sentence of ['No answer within 15 s', 'a: b\nc', '']) {
      const error = { reasonCode: 'receiver-timeout', sentence } as const;
      expect(parseFailedReason(toFailedReason(error))).toEqual(error);
    }
  });

  test.each(['', 'some text', 'constructor: x', 'no-such-code: x', 'receiver-timeout'])(
    'that somebody else wrote has no code: %j',
    (text) => expect(parseFailedReason(text)).toEqual({ reasonCode: undefined, sentence: text }),
  );
});

describe('a signature', () => {
  test('is valid for exactly these bytes, by the public library', () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const body = '{"test": "ünïcode \\ud800"}';
    const headers = toHeaders({ messageId: 'msg_1', body, secrets: [secret] });
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
    expect(() => new Webhook(secret).verify(Buffer.from(body), headers)).not.toThrow();
    expect(() => new Webhook(secret).verify(Buffer.from(`${body} `), headers)).toThrow();
  });
});

describe('a URL', () => {
  test('is shown without query and credentials', () => {
    const [target] = toTargets(['https://user:word@example.org/hooks?token=t']).values();
    expect(target).toMatchObject({
      shown: 'https://example.org/hooks',
      id: expect.stringMatching(/^[\da-f]{10}$/),
    });
  });
});
