// The codes of errors with what people read beside them, each once.
import { expect, test } from '@jest/globals';
import { codes, fixOf } from '../../src/errors.ts';

test('every code with its meaning and its fix', () => {
  expect(codes).toMatchSnapshot();
});

test('each meaning and fix is one short sentence', () => {
  const texts = Object.values(codes).flatMap((entry) => [
    entry.meaning,
    entry.fix,
    ...('whileRetried' in entry ? [entry.whileRetried] : []),
  ]);
  for (const text of texts) {
    expect(text).toMatch(/^[A-Z].*\.$/);
    expect(text).not.toMatch(/\. [A-Z]/);
  }
});

test('a retried job has its own fix, and an unknown code has none', () => {
  expect(fixOf('runcloud-forbidden', true)).toBe(codes['runcloud-forbidden'].whileRetried);
  expect(fixOf('runcloud-forbidden', false)).toBe(codes['runcloud-forbidden'].fix);
  expect(fixOf('primary-domain', true)).toBe(codes['primary-domain'].fix);
  expect(fixOf('no-such-code', false)).toBeUndefined();
});
