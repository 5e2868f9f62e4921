// What the survey and the trial conclude from replies: nothing from replies that make no sense, and nothing is ever thrown.
import { describe, expect, test } from '@jest/globals';
import { VARIANT_TABLE, type VariantName } from '../../packages/simulator/src/index.ts';
import { usualAnswers } from '../../src/cli/switches.ts';
import { judgeLists } from '../../src/doctor/list-switches.ts';
import type { Replies } from '../../src/doctor/replies.ts';
import { judgeMode, judgeSsl } from '../../src/doctor/ssl-switches.ts';
import { REQUESTS } from '../../src/doctor/survey.ts';
import { judgeTry } from '../../src/doctor/try-switches.ts';
import type { RawReply } from '../../src/runcloud/raw-calls.ts';

const reply = (status: number, value?: unknown): RawReply => ({
  status,
  body: value === undefined ? { kind: 'empty' } : { kind: 'json', value },
  limit: undefined,
  remaining: undefined,
  retryAfter: undefined,
});

const NAMES = [
  ...REQUESTS.map(({ name }) => name),
  ...['attach', 'attach-again', 'install-domain-ssl', 'delete', 'delete-again'],
];
const judgeAll = (replies: Replies): Record<string, string> => ({
  ...judgeLists(replies),
  ...judgeSsl(replies, 'v2'),
  ...judgeSsl(replies, 'v3'),
  ...judgeTry(replies),
});

/** Deterministic: a failing case can be run again. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const KEYS =
  'id name type www data meta pagination links per_page total_pages ssl message errors status validUntil advancedSSL created_at'.split(
    ' ',
  );

function randomValue(random: () => number, depth = 0): unknown {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const kind = random();
  if (depth > 4 || kind < 0.5)
    return pick([
      null,
      true,
      false,
      0,
      1,
      -1,
      1e300,
      '',
      '7',
      'active',
      'text',
      '2026-01-01 00:00:00',
      Number.NaN,
    ]);
  const size = Math.floor(random() * 4);
  if (kind < 0.7) return Array.from({ length: size }, () => randomValue(random, depth + 1));
  return Object.fromEntries(Array.from({ length: size }, () => [pick(KEYS), randomValue(random, depth + 1)]));
}

test('replies of any kind lead to no error, and to no switch or value that the simulator does not have', () => {
  const random = createRandom(7);
  for (let round = 0; round < 2_000; round += 1) {
    const status = (): number =>
      [200, 201, 204, 302, 400, 403, 404, 422, 429, 500][Math.floor(random() * 10)] ?? 200;
    const replies = Object.fromEntries(
      NAMES.filter(() => random() < 0.8).map((name) => [name, reply(status(), randomValue(random))]),
    );
    for (const [name, value] of Object.entries(judgeAll(replies))) {
      expect(VARIANT_TABLE[name as VariantName]?.values ?? []).toContain(value);
      expect(usualAnswers).toHaveProperty(name);
    }
    expect(['basic', 'advanced', undefined]).toContain(judgeMode(replies));
  }
});

describe('nothing is concluded', () => {
  test('from no reply at all', () => {
    expect(judgeAll({})).toEqual({});
  });

  test('of the mode from a refusal without RunCloud’s own words', () => {
    expect(judgeMode({ 'get-advanced-ssl': reply(403) })).toBeUndefined();
    expect(judgeMode({ 'get-advanced-ssl': reply(404, { error_code: 1020 }) })).toBeUndefined();
    expect(judgeMode({ 'get-advanced-ssl': reply(404, { message: 'Not Found.' }) })).toBe('basic');
  });

  test('of pages from a list that is short', () => {
    const rows = (...ids: number[]) => reply(200, { data: ids.map((id) => ({ id, name: `d${id}` })) });
    const switches = judgeLists({
      'list-domains': rows(1, 2, 3),
      'list-next': rows(),
      'list-one': rows(1, 2, 3),
    });
    expect(switches).not.toHaveProperty('defaultPerPage');
    expect(switches).toMatchObject({ metaShape: 'none', perPageRequested: 'ignored' });
  });
});

test('the usual answers that the command line prints are the defaults of the simulator', () => {
  for (const [name, value] of Object.entries(usualAnswers))
    expect([name, VARIANT_TABLE[name as VariantName]?.values[0]]).toEqual([name, value]);
});
