// PHP as a tree, by php-parser: nothing is executed. The only importer of php-parser; knows nothing of constants or of ours.
import { Engine } from 'php-parser';

/** A piece of the tree. `kind` is php-parser's name for it; the other fields are its parts. */
export interface PhpNode {
  readonly kind: string;
  readonly loc?: { readonly start?: { readonly line?: number } } | null;
  readonly [field: string]: unknown;
}

/** The file is no PHP, or PHP that the parser does not know. `line` is where it gave up. Contains nothing of the file. */
export class PhpError extends Error {
  readonly line: number | undefined;
  constructor(line: number | undefined) {
    super('not understood as PHP');
    this.name = 'PhpError';
    this.line = line;
  }
}

/** A setting of PHP decides whether `<?` begins code. It counts as text here; `isDoubtful` finds it there. */
const options = {
  parser: { suppressErrors: false, extractDoc: false },
  ast: { withPositions: true },
  lexer: { short_tags: false, asp_tags: false },
};

/**
 * Refuses `#[`: in PHP 7 it begins a comment, in PHP 8 an attribute. The parser accepts one where PHP 8 does not (before a call), and
 * leaves it out of the tree.
 */
function withoutAttributes(engine: Engine): Engine {
  const lexer = engine.lexer as typeof engine.lexer & { readonly yylineno: number };
  const begin = lexer.begin.bind(lexer);
  lexer.begin = (state) => {
    if (state !== 'ST_ATTRIBUTE') return begin(state);
    throw Object.assign(new Error('an attribute'), { lineNumber: lexer.yylineno });
  };
  return engine;
}

/** The statements of a file at its top level, in their order. Throws PhpError. */
export function parsePhp(source: string): readonly PhpNode[] {
  try {
    const { children } = withoutAttributes(new Engine(options)).parseCode(source, '');
    return children as unknown as readonly PhpNode[];
  } catch (error) {
    // The parser's own message repeats what it stumbled over, which may be a password.
    const { lineNumber } = error as { lineNumber?: unknown };
    throw new PhpError(typeof lineNumber === 'number' ? lineNumber : undefined);
  }
}

const isNode = (value: unknown): value is PhpNode =>
  typeof value === 'object' && value !== null && typeof (value as PhpNode).kind === 'string';

export const nodesIn = (value: unknown): PhpNode[] =>
  Array.isArray(value) ? value.flatMap(nodesIn) : isNode(value) ? [value] : [];

export const partsOf = (node: PhpNode): PhpNode[] => Object.values(node).flatMap(nodesIn);

/** `node` and all below it, in the order of the text. Not recursive: PHP may nest deeper than the stack. */
export function* nodesBelow(node: PhpNode): Generator<PhpNode> {
  const open = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next;
    for (const part of partsOf(next).toReversed()) open.push(part);
  }
}

export const lineOf = (node: PhpNode): number => node.loc?.start?.line ?? 0;

/**
 * The name that a call gives, in lower case and without the backslash of the global namespace; undefined if it is computed: `(f)()`
 * calls the function that the constant `f` names.
 */
export function calleeOf({ what }: PhpNode): string | undefined {
  if (!isNode(what) || what.kind !== 'name' || what.parenthesizedExpression) return undefined;
  return String(what.name).toLowerCase().replace(/^\\/, '');
}

export const argumentsOf = (call: PhpNode): PhpNode[] =>
  nodesIn(call.arguments).filter(({ kind }) => kind !== 'noop');

/**
 * The value of a text in single quotes, of one in double quotes in which nothing is replaced, or of a decimal number, as PHP
 * turns it into a text; undefined for all else.
 */
export function literalOf({ kind, raw, value }: PhpNode): string | undefined {
  const written = String(raw ?? value);
  if (kind === 'string' && /^'.*'$/s.test(written)) return written.slice(1, -1).replace(/\\([\\'])/g, '$1');
  if (kind === 'string' && /^"[^\\$]*"$/.test(written)) return written.slice(1, -1);
  // A leading zero means octal, and what is larger becomes a float.
  const digits =
    kind === 'number' && /^(?:0|[1-9]\d*(?:_\d+)*)$/.test(written) && written.replaceAll('_', '');
  return digits && Number.isSafeInteger(Number(digits)) ? digits : undefined;
}
