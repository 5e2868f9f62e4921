// Constants of a wp-config.php: taken where PHP is sure to define them so, refused with a sentence everywhere else.
import { describe, expect, test } from '@jest/globals';
import { PhpError } from '../../src/config/php.ts';
import { parseWpConfig } from '../../src/config/wp-config.ts';

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
  ['code after an unused function', `function f() { nobody_knows(); die; } define('X', 'abc');`, 'abc'],
  [
    'code after a polyfill',
    `if (!function_exists('str_contains')) { function str_contains($a, $b) { return false !== strpos($a, $b); } } $c = str_contains('a', 'b'); define('X', 'abc');`,
    'abc',
  ],
  [
    'code before what is not known',
    `define('X', 'abc'); class A { function f() { g(); } } (new A)->f(); nobody_knows();`,
    'abc',
  ],
  ['code after a use', `use A\\B; define('X', 'abc');`, 'abc'],
  [
    'code after a switch',
    `switch (getenv('A')) { case 'b': $a = 1; break; default: $a = 2; } define('X', 'abc');`,
    'abc',
  ],
  ['code after a remark in the style of an attribute', `# [A] remark\ndefine('X', 'abc');`, 'abc'],
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

/** As they stand in the world: what WordPress, its image for Docker, plugins, proxies and people put there. Each is to be passed over. */
const usual: readonly (readonly [what: string, code: string])[] = [
  [
    'wp-config-sample.php',
    `/** The name */ define( 'DB_NAME', 'database_name_here' ); define( 'DB_CHARSET', 'utf8' ); define( 'DB_COLLATE', '' );
    /**#@+ */ define( 'AUTH_KEY', 'put your unique phrase here' ); /**#@-*/
    $table_prefix = 'wp_'; define( 'WP_DEBUG', false );
    if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }`,
  ],
  [
    'a multisite with Ultimate Multisite',
    `define( 'WP_ALLOW_MULTISITE', true ); define( 'MULTISITE', true ); define( 'SUBDOMAIN_INSTALL', true );
    $base = '/'; define( 'DOMAIN_CURRENT_SITE', 'example.org' ); define( 'BLOG_ID_CURRENT_SITE', 1 );
    define( 'SUNRISE', true ); define( 'COOKIE_DOMAIN', $_SERVER['HTTP_HOST'] ?? '' );`,
  ],
  [
    'the image for Docker',
    `if (!function_exists('getenv_docker')) {
      function getenv_docker($env, $default) {
        if ($fileEnv = getenv($env . '_FILE')) { return rtrim(file_get_contents($fileEnv), "\r\n"); }
        else if (($val = getenv($env)) !== false) { return $val; }
        else { return $default; }
      }
    }
    define( 'DB_NAME', getenv_docker('WORDPRESS_DB_NAME', 'wordpress') );
    define( 'WP_DEBUG', !!getenv_docker('WORDPRESS_DEBUG', '') );
    $table_prefix = getenv_docker('WORDPRESS_TABLE_PREFIX', 'wp_');`,
  ],
  [
    'proxies',
    `if (isset($_SERVER['HTTP_X_FORWARDED_PROTO']) && strpos($_SERVER['HTTP_X_FORWARDED_PROTO'], 'https') !== false) $_SERVER['HTTPS'] = 'on';
    if ( str_contains( $_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '', 'https' ) ) { $_SERVER['HTTPS'] = 'on'; $_SERVER['SERVER_PORT'] = 443; }
    if (!empty($_SERVER['HTTP_CF_CONNECTING_IP'])): $_SERVER['REMOTE_ADDR'] = trim(explode(',', $_SERVER['HTTP_CF_CONNECTING_IP'])[0]); endif;`,
  ],
  [
    'settings from the environment',
    `$db_url = getenv('DATABASE_URL');
    if ($db_url) { $db = parse_url($db_url); define('DB_NAME', ltrim($db['path'], '/'));
      define('DB_HOST', $db['host'] . (isset($db['port']) ? ':' . $db['port'] : '')); }
    else { define('DB_NAME', 'wp'); }
    define('DB_USER', getenv('DB_USER') ?: 'wp'); define('WP_ENV', getenv('WP_ENV') === 'dev' ? 'dev' : 'live');
    defined('WP_HOME') || define('WP_HOME', 'https://' . $_SERVER['HTTP_HOST']); define('WP_SITEURL', WP_HOME . '/wp');
    $env = $_ENV['A'] ?? null; unset($db_url, $env);`,
  ],
  [
    'limits and errors',
    `@ini_set( 'display_errors', 0 ); ini_set('memory_limit', '512M'); @set_time_limit(300); error_reporting(E_ALL & ~E_DEPRECATED);
    error_reporting( E_ERROR | E_PARSE ); date_default_timezone_set('UTC'); define('WP_MAX_MEMORY_LIMIT', 256 * 2 . 'M'); umask(0002);
    define( 'WP_CONTENT_DIR', dirname( __FILE__ ) . '/content' ); define('FS_CHMOD_DIR', (0755 & ~ umask())); header('A: b');`,
  ],
  [
    'as Bedrock has it, without its libraries',
    `$root_dir = dirname(__DIR__); $webroot_dir = $root_dir . '/web'; const WP_ENV = 'production';
    define('CONTENT_DIR', '/app'); define('WP_CONTENT_DIR', "$webroot_dir/app"); define('DISALLOW_FILE_EDIT', true);
    if (file_exists($root_dir . '/.env')) { $has_env = true; } global $table_prefix; $table_prefix = "{$root_dir}_";`,
  ],
];

test.each(usual)('taken behind the usual: %s', (_, text) => {
  const { value, refusal } = code(`${text}\ndefine( 'X', '22' );\nrequire_once ABSPATH . 'wp-settings.php';`);
  expect([value, refusal]).toEqual(['22', undefined]);
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
  ['a larger expression', `(define)('X', 33);`],
  ['a larger expression', `const define = 'max'; (define)('X', 33); define('X', 22);`],
  ['a larger expression', `'define'('X', 33);`],
  ['a larger expression', `$a = (defined)('X'); define('X', 22);`],
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
    expect(refusal).toMatch(new RegExp(`^line \\d+ names it inside ${where}:`));
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
    ['runs computed code', `eval($a);`],
    ['runs computed code', `$f = 'def' . 'ine'; $f($n, 33);`],
    ['runs computed code', `($a ? $f : $g)($n, 33);`],
    ['runs computed code', `f()($n, 33);`],
    ['whose name is computed', `$d = define(...);`],
    ['whose name is computed', `define(...$a);`],
    ['whose name is computed', `define($n, 33);`],
    ['whose name is computed', `foreach ($all as $n => $v) { define($n, $v); }`],
    ['whose name is computed', `define(PREFIX . 'Y', 33);`],
    ['has `<?`', `?> <? define($a, 33); ?> <?php `],
    ['another meaning', `use function A\\f as define;`],
    ['another meaning', `use function A\\{define};`],
    ['another meaning', `use function A\\f as getenv;`],
    ['another meaning', `use A\\{const B};`],
    ['runs computed code', `'def'('a', 33);`],
    ['runs computed code', `(define)('WU_RUNCLOUD' . '_APP_ID', 33);`],
    ['calls a function', `array_map('def' . 'ine', $names, $values);`],
    ['calls a function', `usort($a, $f);`],
    ['calls a function', `array_walk($a, 'def' . 'ine');`],
    ['calls a function', `call_user_func($f, $n, 33);`],
    ['calls a function', `call_user_func_array($f, $a);`],
    ['calls a function', `forward_static_call($f, $n, 33);`],
    ['calls a function', `forward_static_call_array($f, $a);`],
    ['calls a function', `iterator_apply($i, $f, $a);`],
    ['calls a function', `ob_start($f);`],
    ['calls a function', `register_tick_function($f, $n, 33);`],
    ['calls a function', `register_shutdown_function($f);`],
    ['calls a function', `spl_autoload_register($f);`],
    ['calls a function', `preg_replace_callback('/a/', $f, 'a');`],
    ['calls a function', `@unserialize($a);`],
    ['calls a function', `assert($a);`],
    ['calls a function', `trigger_error('a', E_USER_ERROR);`],
    ['calls a function', `user_error('a', 256);`],
    ['calls a function', `nobody_knows();`],
    ['calls a function', `A\\getenv('a');`],
    ['calls a function', `if (nobody_knows()) { $a = 1; }`],
    ['calls a function', `define('Y', nobody_knows());`],
    ['calls a function', `$a = ['b' => [1, nobody_knows()]];`],
    ['calls a function', `echo "a{$b[nobody_knows()]}";`],
    ['calls a function', `(new ReflectionFunction($f))->invoke($n, 33);`],
    ['calls a function', `Closure::fromCallable($f)->__invoke($n, 33);`],
    ['calls a function', `A::f();`],
    ['calls a function', `$a->f();`],
    ['calls a function', `$a?->f();`],
    ['calls a function', `(function () { return 1; })();`],
    ['a function that includes', `function f() { include 'a'; } f();`],
    ['a function that calls', `function f() { nobody_knows(); } f();`],
    ['a function that calls', `function f() { f(); } f();`],
    ['a function that calls', `function f() { return g(); } function g() { return 1; } f();`],
    ['a function that defines a constant whose name', `function d($n, $v) { define($n, $v); } d('Y', 33);`],
    ['a function that has code', `function f($a = A::B) {} f();`],
    [
      'a function that may end',
      `if ($a) { function f() { return 1; } } else { function f() { die; } } $b = f();`,
    ],
    ['has code', `$a = match ($b) { 2 => 1 };`],
    ['has code', `new A;`],
    ['has code', `$a = A::B;`],
    ['has code', `class A extends B {}`],
    ['has code', `$f = fn() => 1;`],
    ['has code', `while (true);`],
    ['has code', `for (;;) {}`],
    ['has code', `$a = 1 % $b;`],
    ['has code', `$a = 1 / 0;`],
    ['has code', `$a /= $b;`],
    ['has code', 'echo `ls`;'],
    ['has code', `ini_set(...$a);`],
    ['has code', `declare(ticks=1);`],
    ['has code', `declare(encoding='UTF-7');`],
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
    expect(refusal).toMatch(/^line 2 gives it a value that is no plain text and no decimal number$/);
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
  `#[hunter2] define('X', 'hunter2');`,
  `#[A] #[B]\ndefine('X', 'hunter2');`,
  `#[\ndefine('X', 'hunter2')]\nfunction f() {}`,
  `define('X', 'hunter2'); class A { #[B] public $a; }`,
  `${'('.repeat(50_000)}1`,
])('what is no PHP is refused whole, by its line, without a word of it', (text) => {
  const failed = () => code(text);
  expect(failed).toThrow(PhpError);
  expect(failed).not.toThrow(/hunter2/);
});

test('many functions of one name, and functions in functions, are read without trouble', () => {
  expect(code(`${'if ($a) { function f() {} }\n'.repeat(20_000)} define('X', 'abc');`).value).toBe('abc');
  expect(code(`${'function f() {'.repeat(300)}${'}'.repeat(300)} define('X', 'abc');`).value).toBe('abc');
});

test('a long sum is read without trouble', () => {
  expect(code(`$a = ${Array(5000).fill("'a'").join('.')}; define('X', 'abc');`).value).toBe('abc');
});

test('a long file is read without trouble', () => {
  expect(code(`$a = '${"\\'x".repeat(500_000)}'; define('X', 'abc');`).value).toBe('abc');
});
