// No text of somebody else's keeps a process busy: each regular expression of ours, and each function that applies some to foreign text, is
// fed with rows of its own pieces. What counts is how the CPU time grows with the length, not how fast the machine is.
import { describe, expect, test } from '@jest/globals';
import { toLogText } from '../../src/certificates/log-text.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { findNamed, hostsIn, withoutOthers } from '../../src/domains/other-names.ts';
import { judgeCaaSet } from '../../src/probes/judge-caa.ts';
import { parseAltNames } from '../../src/probes/served.ts';
import { toShownText } from '../../src/probes/shown-text.ts';
import { toReplyText } from '../../src/runcloud/reply-text.ts';
import { createRedact, createScrub } from '../../src/untrusted/redact.ts';
import { attacksOn, cpuMs } from '../helpers/attack-strings.ts';
import { findRegexes } from '../helpers/regexes.ts';

/** Linear work on `n` takes far less; on four times as much it takes four times as long, quadratic work sixteen times. */
const NOTICED_MS = 15;
const GROWTH = 9;
const LENGTH = 10_000;

const fastest = (work: () => unknown): number => Math.min(...[1, 2, 3].map(() => cpuMs(work)));

/** Whether the work on a text of this kind grows faster than the text. */
function explodes(attack: (length: number) => string, apply: (text: string) => unknown): boolean {
  const short = attack(LENGTH);
  if (cpuMs(() => apply(short)) < NOTICED_MS) return false;
  const long = attack(4 * LENGTH);
  const once = Math.max(
    1,
    fastest(() => apply(short)),
  );
  return cpuMs(() => apply(long)) / once > GROWTH;
}

/** Applied to what nobody else writes, or to what is short already. */
const OWN: Readonly<Record<string, string>> = {
  'src/tracing.ts /\\/+$/': 'our own configuration',
  'src/client/http.ts /\\/+$/': "the caller's own configuration",
  'src/config/network-kinds.ts /\\/+$/': 'our own configuration',
  'src/runcloud/http.ts /\\/+$/': 'our own configuration',
  'src/runcloud/raw-calls.ts /\\/+$/': 'our own configuration',
  'src/untrusted/redact.ts /=+$/': 'our own secrets',
  'src/listening/network.ts /%.*$/':
    'an address of a socket or a header, which hold no line break: the first % matches',
  'src/runcloud/log-call.ts ACCOUNTS': 'what redact leaves: 10,000 characters at most',
  'src/server/board/headers.ts /<link[^>]*fonts\\.googleapis\\.com[^>]*>/': "Bull Board's own page",
};

const isOwn = ({ file, source }: { file: string; source: string }): boolean =>
  Object.hasOwn(OWN, `${file} /${source}/`) ||
  (file === 'src/runcloud/log-call.ts' &&
    source.includes('grantees') &&
    'src/runcloud/log-call.ts ACCOUNTS' in OWN);

test('no regular expression in src takes more than linear time, save on short texts and our own', () => {
  const { literals } = findRegexes('src');
  expect(literals.length).toBeGreaterThan(200);
  const found = literals.filter((regex) => {
    const { source, flags } = regex;
    if (isOwn(regex)) return false;
    const short = [...attacksOn(source, flags, LENGTH)];
    const long = [...attacksOn(source, flags, 4 * LENGTH)];
    const apply = (text: string) => text.replace(new RegExp(source, flags), '');
    return short.some((text, i) =>
      explodes((length) => (length === LENGTH ? text : (long[i] ?? text)), apply),
    );
  });
  expect(found).toEqual([]);
});

const scrub = createScrub(['a-secret-of-ours', 'xyz']);
const redact = createRedact(['a-secret-of-ours']);
const attempt = (work: () => unknown) => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

/** What is applied to texts that customers, their servers, RunCloud or anybody who may write to Redis has written. */
const functions: Readonly<Record<string, (text: string) => unknown>> = {
  withoutOthers: (text) => withoutOthers(text, ['shop.example.org']),
  hostsIn: (text) => hostsIn(text, ['shop.example.org']),
  findNamed: (text) => findNamed(text, ['shop.example.org']),
  toLogText: (text) => toLogText([{ kind: 'Info', content: text, at: 0 }], ['shop.example.org']),
  parseDomainName: (text) => attempt(() => parseDomainName(text)),
  toReplyText: (text) => toReplyText(text, redact),
  redact,
  scrub,
  parseAltNames,
  toShownText,
  'the value of a CAA record': (text) =>
    judgeCaaSet({ at: 'example.org', records: [{ critical: 0, tag: 'issue', value: text }] }, 'http-01'),
};

/** Before, in rows, and behind. */
const PIECES = [
  ...['a', '1', ' ', '\t', ':', '.', '-', '"', '\\', '%', '=', ';', '/', '@', '<', '[', '(dot)', '%41'],
  ...[
    'a.',
    '1.',
    'a-',
    '<title',
    '<title ',
    '<title>',
    '::',
    '//',
    'a:',
    'DNS:',
    'DNS:a, ',
    '"a", ',
    '-----BEGIN ',
  ],
  ...[
    '-----END ',
    'PRIVATE KEY',
    'Bearer ',
    '"token":',
    '"token" ',
    'token=',
    'user ',
    'validat',
    'could not ',
  ],
  ...['\u00e9', '\u0301', 'e\u0301', '\u3002', 'xn--', 'www.', '_acme-challenge.', '\u200d'],
];
const STARTS = ['', 'a', 'a ', '<', '//', '-----BEGIN ', 'DNS:"', 'letsencrypt.org; a'];
const ENDS = ['', '!', '\u0001'];

describe.each(Object.entries(functions))('%s', (_name, apply) => {
  test('takes linear time over whatever it is given', () => {
    const attacks = PIECES.flatMap((piece) =>
      STARTS.flatMap((start) =>
        ENDS.map((end) => (length: number) => start + piece.repeat(Math.ceil(length / piece.length)) + end),
      ),
    );
    const found = attacks.filter((attack) => explodes(attack, apply)).map((attack) => attack(40));
    expect(found).toEqual([]);
  });

  test('ends soon with three megabytes of anything', () => {
    const found = PIECES.filter(
      (piece) => cpuMs(() => apply(piece.repeat(3_000_000 / piece.length))) > 2_000,
    );
    expect(found).toEqual([]);
  });
});
