// Constants of a wp-config.php, read as text.
import { describe, expect, test } from '@jest/globals';
import { parseWpConfig } from '../../src/wp-config.ts';

const read = (php: string, ...names: string[]) => parseWpConfig(php, names.length > 0 ? names : ['X']);
const value = (code: string): string | undefined => read(`<?php\n${code}`).constants.X;

const readings: readonly (readonly [sentence: string, code: string, expected: string | undefined])[] = [
  ['single quotes', `define('X', 'abc');`, 'abc'],
  ['double quotes', `define("X", "abc");`, 'abc'],
  ['spaces as WordPress sets them', `define( 'X', 'abc' );`, 'abc'],
  ['a third argument', `define('X', 'abc', false);`, 'abc'],
  ['a trailing comma', `define('X', 'abc',);`, 'abc'],
  ['a fully qualified, upper-case call', `\\DEFINE('X', 'abc');`, 'abc'],
  [
    'line breaks and comments between the parts',
    `define(\n/* name */ 'X', // value\n 'abc' # end\n);`,
    'abc',
  ],
  ['a number', `define('X', 646);`, '646'],
  ['a number with separators', `define('X', 1_903);`, '1903'],
  ['const', `const X = 'abc';`, 'abc'],
  ['several constants behind one const', `const W = 1, X = 'abc', Y = "d";`, 'abc'],
  ['an escaped quote in single quotes', `define('X', 'a\\'b\\\\c\\n');`, `a'b\\c\\n`],
  ['escapes in double quotes', `define('X', "a\\"b\\\\c\\x41\\101\\u{e9}\\$d\\q");`, `a"b\\cAAé$d\\q`],
  ['an impossible code point stays as it is', `define('X', "\\u{ffffffff}");`, '\\u{ffffffff}'],
  ['a dollar sign that starts no variable', `define('X', "5$ and $5");`, '5$ and $5'],
  ['comment marks inside a text', `define('X', 'a//b#c/*d*/');`, 'a//b#c/*d*/'],
  ['the first of two definitions', `define('X', 'first'); define('X', 'second');`, 'first'],
  ['the guarded form', `if (!defined('X')) { define('X', 'abc'); }`, 'abc'],
  ['code after text outside of PHP', `?>\nit's <b>html</b>\n<?php define('X', 'abc');`, 'abc'],
  ['code after an attribute', `#[Attr]\ndefine('X', 'abc');`, 'abc'],
  ['code after a heredoc with a quote in it', `$a = <<<EOT\nit's "so\nEOT;\ndefine('X', 'abc');`, 'abc'],
  ['code after an indented nowdoc', `$a = <<<'EOT'\n  don't\n  EOT;\ndefine('X', 'abc');`, 'abc'],
  ['code after an empty heredoc', `$a = <<<EOT\nEOT;\ndefine('X', 'abc');`, 'abc'],
  ['code after a comment that closes PHP', `// done ?> text <?php define('X', 'abc');`, 'abc'],
  ['not a line behind //', `// define('X', 'abc');`, undefined],
  ['not a line behind #', `# define('X', 'abc');`, undefined],
  ['not a block comment', `/* define('X', 'abc'); */`, undefined],
  ['not an open block comment', `/* define('X', 'abc');`, undefined],
  ['not a define inside a text', `$a = "define('X', 'abc');";`, undefined],
  ['not a define inside a heredoc', `$a = <<<EOT\ndefine('X', 'abc');\nEOT;`, undefined],
  ['not a define inside a shell command', "$a = `define('X', 'abc');`;", undefined],
  ['not text outside of PHP', `?> define('X', 'abc'); <?php`, undefined],
  ['not a method', `$a->define('X', 'abc'); A::define('X', 'abc');`, undefined],
  ['not the declaration of a function', `function define('X', 'abc') {}`, undefined],
  ['not another function', `undefine('X', 'abc'); my_define('X', 'abc');`, undefined],
  ['not a constant of another case', `define('x', 'abc');`, undefined],
  ['not a call that ends too early', `define('X'`, undefined],
];

describe('parseWpConfig reads', () => {
  test.each(readings)('%s', (_, code, expected) => {
    expect(value(code)).toBe(expected);
  });

  test('nothing from a file without PHP', () => {
    expect(read(`define('X', 'abc');`)).toEqual({ constants: {}, warnings: [] });
    expect(read('')).toEqual({ constants: {}, warnings: [] });
  });

  test('Windows line ends and a byte order mark', () => {
    expect(read(`\ufeff<?php\r\n// it's\r\ndefine('X', 'abc');\r\n`).constants.X).toBe('abc');
  });

  test('only the constants that were asked for', () => {
    const php = `<?php define('DB_PASSWORD', 'hidden'); define('X', 'abc');`;
    expect(read(php).constants).toEqual({ X: 'abc' });
  });

  test('a long file without trouble', () => {
    const php = `<?php $a = '${"\\'x".repeat(500_000)}'; define('X', 'abc');`;
    expect(read(php).constants.X).toBe('abc');
  });
});

const computed: readonly (readonly [sentence: string, code: string])[] = [
  ['a function call', `define("X", getenv('Y'));`],
  ['a call with a fallback', `define('X', getenv('Y') ?: 'abc');`],
  ['a concatenation', `define('X', 'a' . 'b');`],
  ['variables in double quotes', `define('X', "a$b");`],
  ['a variable in braces', `define('X', "a{$b}");`],
  ['a heredoc', `define('X', <<<EOT\nabc\nEOT);`],
  ['a constant', `define('X', Y);`],
  ['a cast', `define('X', (int) '5');`],
  ['true', `define('X', true);`],
  ['an octal number', `define('X', 0123);`],
  ['a fraction', `define('X', 1.5);`],
  ['a computed const', `const X = 'a' . 'b';`],
  ['a literal that comes after it', `define('X', getenv('Y')); define('X', 'abc');`],
];

describe('parseWpConfig says that it cannot read', () => {
  test.each(computed)('%s', (_, code) => {
    const { constants, warnings } = read(`<?php ${code}`);
    expect(constants).toEqual({});
    expect(warnings).toEqual([expect.stringMatching(/^X is not a literal/)]);
  });

  test('two definitions that differ, without their values', () => {
    const { warnings } = read(`<?php define('X', 'first'); define('X', 'second');`);
    expect(warnings).toEqual(['X is defined more than once; the first definition is used, as in PHP']);
  });
});
