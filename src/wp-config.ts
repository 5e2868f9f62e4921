// Reads constants out of a wp-config.php as text: PHP is never executed, nothing is included, no condition is
// evaluated. Pure; where PHP would compute a value, the value is reported as unknown instead of guessed.

/** `constants` by name, as text; `warnings` never hold a value. */
export interface WpConfig {
  readonly constants: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

type TokenKind = 'single' | 'double' | 'word' | 'number' | 'other';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

// PHP's lexical grammar as far as it decides where code ends and text begins (php.net/manual/en/language.types.string.php,
// .../language.basic-syntax.comments.php). `#[` opens an attribute, and `?>` ends a one-line comment.
const grammar = [
  /\s+|\/\*[\s\S]*?(?:\*\/|$)|(?:\/\/|#(?!\[))(?:(?!\?>)[^\r\n])*/, // spaces and comments
  /\?>[\s\S]*?(?:<\?(?:[pP][hH][pP]\b|=)?|$)/, // text outside of PHP
  /(?<heredoc><<<[ \t]*(?<quote>["']?)(?<label>\w+)\k<quote>\r?\n(?:[\s\S]*?\n)?[ \t]*\k<label>\b)/,
  /(?<single>'[^'\\]*(?:\\[\s\S][^'\\]*)*')/,
  /(?<double>"[^"\\]*(?:\\[\s\S][^"\\]*)*")/,
  /(?<shell>`[^`\\]*(?:\\[\s\S][^`\\]*)*`)/,
  /(?<word>[\\$A-Za-z_\u0080-\uffff][\\\w\u0080-\uffff]*)/,
  /(?<number>\d[\w.]*)/,
  /(?<other>->|::|[\s\S])/,
];
const lexer = new RegExp(grammar.map((rule) => rule.source).join('|'), 'gu');

function toToken({ groups = {} }: RegExpMatchArray): Token[] {
  for (const kind of ['single', 'double', 'word', 'number', 'other'] as const) {
    const text = groups[kind];
    if (text !== undefined) return [{ kind, text }];
  }
  const computed = groups.heredoc ?? groups.shell;
  return computed === undefined ? [] : [{ kind: 'other', text: computed }];
}

function tokenize(source: string): Token[] {
  const start = source.indexOf('<?');
  // The text before the first tag is text outside of PHP: let the rule for it find the tag.
  return start < 0 ? [] : [...`?>${source.slice(start)}`.matchAll(lexer)].flatMap(toToken);
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  v: '\v',
  e: '\u001b',
  f: '\f',
  '\\': '\\',
  $: '$',
  '"': '"',
};

function toCharacter(sequence: string): string {
  const body = sequence.slice(1);
  const octal = /^[0-7]+$/.test(body) ? Number.parseInt(body, 8) & 255 : undefined;
  const hex = /^x([\da-f]+)$|^u\{([\da-f]+)\}$/i.exec(body);
  const point = octal ?? Number.parseInt(hex?.[1] ?? hex?.[2] ?? '', 16);
  return escapes[body] ?? (point <= 0x10ffff ? String.fromCodePoint(point) : sequence);
}

/** Undefined where PHP would put variables into the text. */
function readDouble(body: string): string | undefined {
  const hasVariables = /\$[A-Za-z_\u0080-\uffff{]|\{\$/.test(body.replace(/\\[\s\S]/g, ' '));
  const sequence = /\\(?:[0-7]{1,3}|x[\da-f]{1,2}|u\{[\da-f]+\}|[\s\S])/gi;
  return hasVariables ? undefined : body.replace(sequence, toCharacter);
}

function readLiteral({ kind, text }: Token): string | undefined {
  if (kind === 'single') return text.slice(1, -1).replace(/\\([\\'])/g, '$1');
  if (kind === 'double') return readDouble(text.slice(1, -1));
  // A leading zero means octal: PHP would see another number than the reader does.
  if (kind === 'number' && /^(?:0|[1-9]\d*(?:_\d+)*)$/.test(text)) return text.replaceAll('_', '');
  return undefined;
}

/** A constant as the file states it; `value` is undefined where it is not a literal. */
interface Definition {
  readonly name: string;
  readonly value: string | undefined;
}

const nothing: Token = { kind: 'other', text: '' };
const isOneOf = (token: Token, ...texts: string[]): boolean =>
  token.kind === 'other' && texts.includes(token.text);

/** The value at `index`, if it stands alone there: `'a' . 'b'` and `(int) '5'` are sums that PHP works out. */
function readValue(tokens: readonly Token[], index: number, ...ends: string[]): string | undefined {
  const [value = nothing, end = nothing] = tokens.slice(index, index + 2);
  return isOneOf(end, ...ends) ? readLiteral(value) : undefined;
}

/** `define('NAME', value)`; a method or a function of that name is something else. */
function readDefine(tokens: readonly Token[], index: number): Definition[] {
  const before = tokens[index - 1] ?? nothing;
  if (isOneOf(before, '->', '::') || /^(?:function|new)$/i.test(before.text)) return [];
  const [open = nothing, name = nothing, comma = nothing] = tokens.slice(index + 1, index + 4);
  const isCall =
    isOneOf(open, '(') && isOneOf(comma, ',') && (name.kind === 'single' || name.kind === 'double');
  const constant = isCall ? readLiteral(name) : undefined;
  return constant === undefined ? [] : [{ name: constant, value: readValue(tokens, index + 4, ')', ',') }];
}

/** `const NAME = value;`, also several of them behind one `const`. */
function readConst(tokens: readonly Token[], index: number): Definition[] {
  const end = tokens.findIndex((token, i) => i > index && isOneOf(token, ';'));
  const starts = tokens.slice(index, end < 0 ? index : end).flatMap((token, i) => {
    const opens = i === 0 || isOneOf(token, ',');
    return opens && isOneOf(tokens[index + i + 2] ?? nothing, '=') ? [index + i + 1] : [];
  });
  return starts.map((at) => ({ name: tokens[at]?.text ?? '', value: readValue(tokens, at + 2, ';', ',') }));
}

function definitionsAt(tokens: readonly Token[], index: number): Definition[] {
  const { kind, text } = tokens[index] ?? nothing;
  if (kind === 'word' && /^\\?define$/i.test(text)) return readDefine(tokens, index);
  return kind === 'word' && /^const$/i.test(text) ? readConst(tokens, index) : [];
}

function warningsFor(name: string, [first, ...later]: readonly Definition[]): string[] {
  if (first === undefined) return [];
  if (first.value === undefined)
    return [`${name} is not a literal (a text or a number), so it cannot be read; set it in the environment`];
  const differs = later.some(({ value }) => value !== first.value);
  return differs ? [`${name} is defined more than once; the first definition is used, as in PHP`] : [];
}

/**
 * The constants of `names` that `source`, the text of a PHP file, defines by `define(...)` or `const`. The first
 * definition wins, as in PHP. Conditions around a definition are not looked at. Never throws.
 */
export function parseWpConfig(source: string, names: readonly string[]): WpConfig {
  const tokens = tokenize(source);
  const all = tokens.flatMap((_, index) => definitionsAt(tokens, index));
  const wanted = names.map((name) => ({ name, found: all.filter((definition) => definition.name === name) }));
  return {
    constants: Object.fromEntries(
      wanted.flatMap(({ name, found: [first] }) => (first?.value === undefined ? [] : [[name, first.value]])),
    ),
    warnings: wanted.flatMap(({ name, found }) => warningsFor(name, found)),
  };
}
