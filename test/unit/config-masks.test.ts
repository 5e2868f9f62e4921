// No error repeats what may be a secret, whichever variable holds it and however wrong it is.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ConfigError, type Entry, entries, parseConfig } from '../../src/config/load.ts';

const SECRET = 'hunter2';

function messageOf(env: Record<string, string>): string {
  try {
    return JSON.stringify(parseConfig(env).warnings);
  } catch (error) {
    if (error instanceof ConfigError) return `${error.message}\n${error.stack}`;
    throw error;
  }
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
/** Characters that end parts of an address, before, in and behind a secret. */
const noise = fc.string({
  unit: fc.constantFrom('/', '?', '#', '@', ':', '%', ',', ' ', '=', '&', '1', 'a'),
  maxLength: 3,
});
const planted = fc.tuple(noise, noise).map(([before, behind]) => `${before}${SECRET}${behind}`);

const address = fc
  .record({
    scheme: fc.constantFrom('redis://', 'rediss://', 'http://', 'https://', 'ftp://', 'HTTPS://', ''),
    // With a secret there is an "@" behind it, as in every address with a password.
    user: maybe(planted.map((secret) => `worker:${secret}@`)),
    host: fc.constantFrom('h.example', '127.0.0.1', '[::1]', '{domain}'),
    port: fc.constantFrom('', ':6379', ':99999', ':x'),
    path: maybe(planted.map((secret) => `/hooks/${secret}`)),
    query: maybe(planted.map((secret) => `?token=${secret}`)),
    hash: maybe(planted.map((secret) => `#${secret}`)),
  })
  .map(({ scheme, user = '', host, port, path = '', query = '', hash = '' }) =>
    [scheme, user, host, port, path, query, hash].join(''),
  );

const takesPlace = ({ example }: Entry): boolean => example.includes('://');
const namesOf = (some: readonly Entry[]): string[] => some.map(({ name }) => name);

describe('a secret in an address appears in no error', () => {
  test.each(namesOf(entries.filter(takesPlace)))('of %s', (name) => {
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 2 }), (list) => {
        const env = { [name]: list.join(','), CALLBACK_SECRETS: `whsec_${'A'.repeat(32)}` };
        expect(messageOf(env)).not.toContain(SECRET);
      }),
      { numRuns: 300 },
    );
  });

  test('of any other variable', () => {
    const withScheme = address.filter((text) => /:\/\//.test(text));
    fc.assert(
      fc.property(
        fc.constantFrom(...namesOf(entries.filter((entry) => !takesPlace(entry)))),
        withScheme,
        (name, text) => {
          expect(messageOf({ [name]: text })).not.toContain(SECRET);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test.each(entries.filter(({ secret }) => secret))(
  'no error repeats anything of $name',
  ({ name, aliases }) => {
    for (const text of [
      SECRET,
      `${SECRET};`,
      `x:y:${SECRET}`,
      `a b ${SECRET}`,
      `"${SECRET}`,
      `${SECRET}\nX-A: b`,
    ]) {
      expect(messageOf({ [name]: text })).not.toContain(SECRET);
      for (const alias of aliases) expect(messageOf({ [alias]: text })).not.toContain(SECRET);
    }
  },
);

test.each<readonly [name: string, text: string, shown: string]>([
  ['CALLBACK_URLS', `http://h.example/in?token=${SECRET}`, 'http://h.example/***'],
  ['CALLBACK_URLS', `https://h.example/${SECRET},ftp://x`, 'https://h.example/***'],
  ['RUNCLOUD_API_URL', `https://h.example/api/v3?key=${SECRET}`, 'https://h.example/***'],
  ['RUNCLOUD_API_URL', `https://u:${SECRET}@h.example/api/v3`, 'https://***@h.example/api/v3'],
  ['RUNCLOUD_API_URL', 'https://h.example:8443/', 'https://h.example:8443/'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', `https://${SECRET}@h.example`, 'https://***@h.example'],
  ['REDIS_URL', `http://u:a/${SECRET}@h.example/0`, 'http://***'],
  ['DNS_GATE_PROBE', `http://h.example/a#${SECRET}`, 'http://h.example/***'],
])('%s=%s is shown as %s', (name, text, shown) => {
  expect(messageOf({ [name]: text, CALLBACK_SECRETS: `whsec_${'A'.repeat(32)}` })).toContain(
    `got "${shown}"`,
  );
});
