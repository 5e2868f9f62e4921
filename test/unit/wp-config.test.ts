// Constants of a wp-config.php: taken where PHP is sure to define them so, refused with a sentence everywhere else.
import { describe, expect, test } from '@jest/globals';
import { PhpError } from '../../src/config/php.ts';
import { parseWpConfig } from '../../src/wp-config.ts';

const NAME = 'WU_RUNCLOUD_APP_ID';

const read = (php: string, ...names: string[]) => {
  const { constants, refusals, warnings } = parseWpConfig(php, names.length > 0 ? names : [NAME]);
  return { constants, refusals, warnings, value: constants[NAME], refusal: refusals[NAME] };
};
/** In the tables `X` stands for the constant. */
const toPhp = (text: string): string => `<?php\n${text.replace(/\bX\b/g, NAME)}`;
const code = (text: string) => read(toPhp(text));
const nothingFound = { constants: {}, refusals: {}, warnings: [], value: undefined, refusal: undefined };

const taken: readonly (readonly [sentence: string, code: string, expected: string])[] = [
  ['single quotes', `define('X', 'abc');`, 'abc'],
  ['double quotes', `define("X", "abc");`, 'abc'],
  ['spaces as WordPress sets them', `define( 'X', 'abc' );`, 'abc'],
  ['a third argument', `define('X', 'abc', false);`, 'abc'],
  ['a trailing comma', `define('X', 'abc',);`, 'abc'],
  ['a fully qualified, upper-case call', `\\DEFINE('X', 'abc');`, 'abc'],
  ['comments between the parts', `define(\n/* name */ 'X', // value\n 'abc' # end\n);`, 'abc'],
  ['a number', `define('X', 646);`, '646'],
  ['a number in brackets', `define('X', (646));`, '646'],
  ['a number with separators', `define('X', 1_903);`, '1903'],
  ['const', `const X = 'abc';`, 'abc'],
  ['several constants behind one const', `const W = 1, X = 'abc', Y = "d";`, 'abc'],
  ['an escaped quote in single quotes', `define('X', 'a\\'b\\\\c\\n');`, `a'b\\c\\n`],
  ['comment marks inside a text', `define('X', 'a//b#c/*d*/');`, 'a//b#c/*d*/'],
  ['the first of two definitions', `define('X', 'first'); define('X', 'second');`, 'first'],
  [
    'a definition that a condition would repeat',
    `define('X', 'a'); if (!defined('X')) define('X', 'b');`,
    'a',
  ],
  ['code after text outside of PHP', `?>\nit's <b>html</b>\n<?php define('X', 'abc');`, 'abc'],
  ['code after a heredoc with a quote in it', `$a = <<<EOT\nit's "so\nEOT;\ndefine('X', 'abc');`, 'abc'],
  ['code after an indented nowdoc', `$a = <<<'EOT'\n  don't\n  EOT;\ndefine('X', 'abc');`, 'abc'],
  ['code after a comment that closes PHP', `// done ?> text <?php define('X', 'abc');`, 'abc'],
  ['code after a strict_types', `declare(strict_types=1);\ndefine('X', 'abc');`, 'abc'],
  ['code after a function that returns', `function f() { return 1; } $a = f(); define('X', 'abc');`, 'abc'],
  ['code after a question', `if (defined('X')) { $a = 1; } define('X', 'abc');`, 'abc'],
  ['code before an include', `define('X', 'abc'); require_once ABSPATH . 'wp-settings.php';`, 'abc'],
  ['code before an exit', `define('X', 'abc'); exit; define('X', 'b');`, 'abc'],
];

describe('taken as PHP defines it', () => {
  test.each(taken)('%s', (_, text, expected) => {
    const { value, refusal } = code(text);
    expect([value, refusal]).toEqual([expected, undefined]);
  });

  test('Windows line ends, a byte order mark, and a file in Latin-1', () => {
    const php = Buffer.from(`\ufeff${toPhp(`// it's\r\ndefine('X', 'abc');\r\n`)}`).toString('latin1');
    expect(read(php).value).toBe('abc');
    expect(code(`// Passw\xf6rter\ndefine('X', 'abc');`).value).toBe('abc');
  });

  test('only the constants that were asked for', () => {
    expect(code(`define('DB_PASSWORD', 'hidden'); define('X', 'abc');`).constants).toEqual({ [NAME]: 'abc' });
  });

  test('the usual file of WordPress, up to the line that loads it', () => {
    const { constants, refusals } = read(
      `<?php
      define( 'DB_NAME', 'wp' );
      define( 'AUTH_KEY', 'a$b"c' );
      $table_prefix = 'wp_';
      if ( isset( $_SERVER['HTTP_X_FORWARDED_PROTO'] ) ) { $_SERVER['HTTPS'] = 'on'; }
      @ini_set( 'display_errors', 0 );
      foreach ( [ 'A', 'B' ] as $name ) { putenv( $name ); }
      define( 'WU_RUNCLOUD_APP_ID', '22' );
      if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
      require_once ABSPATH . 'wp-settings.php';`,
      'WU_RUNCLOUD_APP_ID',
    );
    expect([constants, refusals]).toEqual([{ WU_RUNCLOUD_APP_ID: '22' }, {}]);
  });
});

const inside: readonly (readonly [where: string, code: string])[] = [
  ['an if', `if ('staging' === 'live') { define('X', 33); } else { define('X', 22); }`],
  ['an if', `if (false) define('X', 33);`],
  ['an if', `if (!defined('X')) { define('X', 22); }`],
  ['an if', `if (false): define('X', 33); endif; define('X', 22);`],
  [
    'an if',
    `if (true) {} elseif (true) { const X = 33; } define('X', 22);`.replace(
      'const X = 33',
      `define('X', 33)`,
    ),
  ],
  ['a function', `function f() { define('X', 33); }`],
  ['a function', `define('X', 22); function f() { define('X', 33); }`],
  ['a larger expression', `$f = function () { define('X', 33); }; $f(); define('X', 22);`],
  ['a larger expression', `$f = fn() => define('X', 33);`],
  ['a larger expression', `(function () { define('X', 33); })();`],
  ['a class', `class A { const X = 33; function f() { define('X', 33); } }`],
  ['a class', `class A { const X = 33; }`],
  ['a namespace', `namespace A; const X = 33; define('X', 22);`],
  ['a namespace', `namespace { define('X', 33); }`],
  ['a loop', `while (false) { define('X', 33); }`],
  ['a loop', `for (;false;) { define('X', 33); }`],
  ['a loop', `foreach ([] as $a) { define('X', 33); }`],
  ['a loop', `foreach (['X' => 33] as $k => $v) { define($k, $v); } define('X', 22);`],
  ['a loop', `do { break; define('X', 33); } while (true);`],
  ['a switch', `switch (1) { case 2: define('X', 33); }`],
  ['a try', `try { f(); define('X', 33); } catch (E $e) { define('X', 22); }`],
  ['a block', `{ define('X', 33); }`],
  ['a larger expression', `defined('X') || define('X', 33);`],
  ['a larger expression', `defined('X') or define('X', 33);`],
  ['a larger expression', `!defined('X') && define('X', 33);`],
  ['a larger expression', `true ? define('X', 33) : define('X', 22);`],
  ['a larger expression', `$a = match (1) { 1 => define('X', 33) };`],
  ['a larger expression', `$a ?? define('X', 33);`],
  ['a larger expression', `$a = define('X', 33);`],
  ['a larger expression', `Config::define('X', 33);`],
  ['a larger expression', `$a->define('X', 33);`],
  ['a larger expression', `my_define('X', 33);`],
  ['a larger expression', `define('wu_runcloud_app_id', 33, true);`],
  ['a larger expression', `define('X', 33, $a);`],
  ['a larger expression', `define('X', 33, false, 1);`],
  ['a larger expression', `define('X');`],
  ['a larger expression', `define(constant_name: 'X', value: 33);`],
  ['a larger expression', `$a = "define('X', 33);"; eval($a);`],
  ['a larger expression', `$a = <<<'EOT'\ndefine('X', 33);\nEOT;\neval($a);`],
  ['a larger expression', `define("WU_RUNCLOUD_APP_\\x49D", 33); define('X', 22);`],
  ['what follows __halt_compiler', `__halt_compiler(); define('X', 33);`],
];

describe('refused, since it stands', () => {
  test.each(inside)('in %s: %s', (where, text) => {
    const { constants, refusal } = code(text);
    expect(constants).toEqual({});
    expect(refusal).toMatch(new RegExp(`^line \\d+ names it inside ${where},`));
    expect(refusal).not.toMatch(/33|22/);
  });

  const behind: readonly (readonly [does: string, code: string])[] = [
    ['may end the script', `return;`],
    ['may end the script', `exit;`],
    ['may end the script', `die('x');`],
    ['may end the script', `\\exit();`],
    ['may end the script', `throw new Exception();`],
    ['may end the script', `goto end;`],
    ['may end the script', `if ($a) { return; }`],
    ['may end the script', `defined('ABSPATH') || exit;`],
    ['may end the script', `f(); function f() { die; }`],
    ['includes another file', `require_once ABSPATH . 'wp-settings.php';`],
    ['includes another file', `@include 'local.php';`],
    ['includes another file', `if (file_exists('a')) { include 'a'; }`],
    ['runs code', `eval($a);`],
    ['runs code', `$f = 'def' . 'ine'; $f($n, 33);`],
    ['runs code', `($a ? $f : $g)($n, 33);`],
    ['runs code', `f()($n, 33);`],
    ['whose name is computed', `$d = define(...);`],
    ['whose name is computed', `define(...$a);`],
    ['runs code', `array_map('define', $names, $values);`],
    ['runs code', `call_user_func($f, $n, 33);`],
    ['whose name is computed', `define($n, 33);`],
    ['whose name is computed', `foreach ($all as $n => $v) { define($n, $v); }`],
    ['whose name is computed', `define(PREFIX . 'Y', 33);`],
    ['holds `<?`', `?> <? define($a, 33); ?> <?php `],
    ['another meaning', `use function A\\f as define;`],
    ['another meaning', `use function A\\{define};`],
  ];

  test.each(behind)('behind what %s: %s', (does, text) => {
    const { constants, refusal } = code(`${text}\ndefine('X', 22); end:`);
    expect(constants).toEqual({});
    expect(refusal).toMatch(/^line \d+ defines it, but line \d+ /);
    expect(refusal).toContain(does);
  });
});

const computed = [
  `getenv('Y')`,
  `getenv('X')`,
  `getenv('Y') ?: 'abc'`,
  `'a' . 'b'`,
  `"a$b"`,
  `"a{$b}"`,
  `"a\\x41"`,
  `"a\\\\b"`,
  `"5$"`,
  `<<<EOT\nabc\nEOT`,
  `<<<'EOT'\nabc\nEOT`,
  `Y`,
  `(int) '5'`,
  `true`,
  `null`,
  `[1]`,
  `-5`,
  `+5`,
  `0123`,
  `0o123`,
  `0x1F`,
  `0b11`,
  `1.5`,
  `22.0`,
  `1e3`,
  `9223372036854775808`,
  `PHP_VERSION_ID > 80000 ? 33 : 22`,
];

test.each(computed)('the value %s is refused, and a later definition changes nothing', (value) => {
  for (const text of [`define('X', ${value}); define('X', 'abc');`, `const X = ${value};`]) {
    const { constants, refusal } = code(text);
    expect(constants).toEqual({});
    expect(refusal).toMatch(/^what line 2 gives it is no plain text and no decimal number$/);
  }
});

const nothing = [
  `// define('X', 'abc');`,
  `# define('X', 'abc');`,
  `/* define('X', 'abc'); */`,
  `?> define('X', 'abc'); <?php `,
  `define('Y', 'abc');`,
  `if (defined('X')) { echo X; }`,
  '',
];

test.each(nothing)('nothing is defined by %s', (text) => {
  expect(code(text)).toEqual(nothingFound);
});

test('a file without PHP defines nothing', () => {
  expect(read(`define('X', 'abc');`)).toEqual(nothingFound);
  expect(read('')).toEqual(nothingFound);
});

test('two definitions that differ are a warning, without their values', () => {
  const { warnings } = code(`define('X', 'first'); define('X', 'second');`);
  expect(warnings).toEqual([`${NAME} is defined more than once; the first definition is used, as in PHP`]);
});

test.each([
  `if (true) { define('X', 'hunter2');`,
  `define('X', 'hunter2'`,
  `define('X', 'hunter2);`,
  `'hunter2' 'hunter2'`,
  `define('X', "\\u{ffffffff}");`,
  `${'('.repeat(50_000)}1`,
])('what is no PHP is refused whole, by its line, without a word of it', (text) => {
  const failed = () => code(text);
  expect(failed).toThrow(PhpError);
  expect(failed).not.toThrow(/hunter2/);
});

test('a long sum is read without trouble', () => {
  expect(code(`$a = ${Array(5000).fill("'a'").join('.')}; define('X', 'abc');`).value).toBe('abc');
});

test('a long file is read without trouble', () => {
  expect(code(`$a = '${"\\'x".repeat(500_000)}'; define('X', 'abc');`).value).toBe('abc');
});
