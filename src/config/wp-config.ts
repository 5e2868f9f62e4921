// Constants of a wp-config.php. PHP is never executed, nothing is included, no condition is evaluated. Only a separate
// definition at the top level counts, if all code before it is known to be harmless. Anything else about a constant is a
// refusal, because a wrong guess would put domains on somebody else's web application. Pure.
import { definedBehind, definedTwice, mentionedInside, notLiteral } from './messages.ts';
import { argumentsOf, calleeOf, lineOf, literalOf, nodesIn, type PhpNode, parsePhp, partsOf } from './php.ts';
import { type Declared, declaredIn, obstacleOf } from './php-effects.ts';

/** `constants` by name, as text. `refusals` by name: why a value is unknown. Refusals and warnings contain no value. */
export interface WpConfig {
  readonly constants: Readonly<Record<string, string>>;
  readonly refusals: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

/** What one place of the file does. `at` is the top-level statement; what is named in a function may be defined before all. */
type Event = { readonly at: number; readonly line: number } & (
  | { readonly type: 'definition'; readonly name: string; readonly value: string | undefined }
  | { readonly type: 'mention'; readonly name: string; readonly where?: string }
  | { readonly type: 'obstacle'; readonly does: string }
);

const BEFORE_ALL = -1;

const functions = ['function', 'method', 'closure', 'arrowfunc', 'propertyhook'];

/** The name of a top-level statement that contains more than the definition. */
const places: Readonly<Record<string, string>> = {
  if: 'an if',
  for: 'a loop',
  foreach: 'a loop',
  while: 'a loop',
  do: 'a loop',
  switch: 'a switch',
  try: 'a try',
  function: 'a function',
  class: 'a class',
  trait: 'a trait',
  interface: 'an interface',
  enum: 'an enum',
  namespace: 'a namespace',
  block: 'a block',
  declare: 'a block',
  halt: 'what follows __halt_compiler',
};

/** These read a constant or a variable of that name. */
const readers = ['defined', 'constant', 'getenv'];

/** The names that a text may be used to define, however they are spelt: before PHP 8 there were constants of any case. */
function mentionsOf(node: PhpNode, names: readonly string[]): string[] {
  const isInline = node.kind === 'inline' && String(node.value).includes('<?');
  const isText = ['string', 'nowdoc'].includes(node.kind) || isInline;
  const text = node.kind === 'halt' ? node.after : isText ? node.value : undefined;
  const constant = node.kind === 'constant' ? (nodesIn(node.name)[0]?.name ?? node.name) : undefined;
  const upper = String(text ?? '').toUpperCase();
  return names.filter((name) => upper.includes(name.toUpperCase()) || constant === name);
}

/** `define('NAME', …)` or `const NAME = …` as a statement of its own. */
function definitionsIn(statement: PhpNode): { node: PhpNode; name: string; value: string | undefined }[] {
  if (statement.kind === 'constantstatement')
    return nodesIn(statement.constants).map((node) => ({
      node,
      name: String(nodesIn(node.name)[0]?.name ?? node.name),
      value: nodesIn(node.value).map(literalOf)[0],
    }));
  const [node] = statement.kind === 'expressionstatement' ? nodesIn(statement.expression) : [];
  if (node === undefined || node.kind !== 'call' || calleeOf(node) !== 'define') return [];
  const [name, value, ignoresCase, ...more] = argumentsOf(node);
  const isSimple = more.length === 0 && (ignoresCase === undefined || ignoresCase.kind === 'boolean');
  if (name?.kind !== 'string' || value === undefined || !isSimple) return [];
  const text = literalOf(name);
  return text === undefined ? [] : [{ node, name: text, value: literalOf(value) }];
}

interface Place {
  readonly at: number;
  readonly isInFunction: boolean;
  /** Whether the node is the argument of one of `readers`. */
  readonly isRead: boolean;
}

/** The constants to find in the file, and its functions. */
interface Question {
  readonly names: readonly string[];
  readonly declared: Declared;
}

/** What one node does, without those below it. What a function does counts where it is called. */
function eventsAt(
  node: PhpNode,
  { at, isInFunction, isRead }: Place,
  { names, declared }: Question,
): Event[] {
  const here = { at: isInFunction ? BEFORE_ALL : at, line: lineOf(node) };
  const does = isInFunction ? undefined : obstacleOf(node, declared);
  const mentioned = isRead ? [] : mentionsOf(node, names);
  return [
    ...(does === undefined ? [] : [{ type: 'obstacle' as const, ...here, does }]),
    ...mentioned.map((name) => ({ type: 'mention' as const, ...here, name })),
  ];
}

/** The events of a statement and of all in it, except the `own` nodes of a definition. Not recursive: PHP may nest deeper than the stack. */
function eventsBelow(statement: PhpNode, at: number, question: Question, own: ReadonlySet<PhpNode>): Event[] {
  const events: Event[] = [];
  const open: { node: PhpNode; place: Place }[] = [
    { node: statement, place: { at, isInFunction: false, isRead: false } },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, place } = next;
    events.push(...eventsAt(node, { ...place, isRead: place.isRead || own.has(node) }, question));
    const inside: Place = {
      at,
      isInFunction: place.isInFunction || functions.includes(node.kind),
      isRead: node.kind === 'call' && readers.includes(calleeOf(node) ?? ''),
    };
    for (const part of partsOf(node).toReversed()) open.push({ node: part, place: inside });
  }
  return events;
}

/** What one statement of the top level does. */
function eventsOf(statement: PhpNode, at: number, question: Question): Event[] {
  const definitions = definitionsIn(statement);
  const ours = definitions.filter(({ name }) => question.names.includes(name));
  const own = new Set(ours.flatMap(({ node }) => [node, ...argumentsOf(node).slice(0, 1)]));
  const where = places[statement.kind] ?? 'a larger expression';
  const found = eventsBelow(statement, at, question, own);
  return [
    ...ours.map(({ node, name, value }) => ({
      type: 'definition' as const,
      at,
      line: lineOf(node),
      name,
      value,
    })),
    ...found.map((event) => (event.type === 'mention' ? { ...event, where } : event)),
  ];
}

type Answer = { readonly value?: string; readonly refusal?: string; readonly warning?: string };

/** The first definition wins, as in PHP: a later one has no effect. */
function answerFor(name: string, events: readonly Event[]): Answer {
  const own = events.filter((event) => event.type !== 'obstacle' && event.name === name);
  const [first, ...later] = own;
  if (first === undefined || first.type === 'obstacle') return {};
  if (first.type === 'mention') return { refusal: mentionedInside(first.line, first.where ?? '') };
  const obstacle = events.find((event) => event.type === 'obstacle' && event.at < first.at);
  if (obstacle?.type === 'obstacle')
    return { refusal: definedBehind(first.line, obstacle.line, obstacle.does) };
  if (first.value === undefined) return { refusal: notLiteral(first.line) };
  const differs = later.some((event) => event.type === 'definition' && event.value !== first.value);
  return { value: first.value, ...(differs && { warning: definedTwice(name) }) };
}

/**
 * The constants of `names` that `source`, the text of a PHP file, defines without a doubt. Throws PhpError if the file
 * cannot be understood.
 */
export function parseWpConfig(source: string, names: readonly string[]): WpConfig {
  const statements = parsePhp(source);
  const question = { names, declared: declaredIn(statements) };
  const events = statements
    .flatMap((statement, index) => eventsOf(statement, index, question))
    .toSorted((one, other) => one.at - other.at);
  const answers = names.map((name) => [name, answerFor(name, events)] as const);
  const pick = (field: keyof Answer): Record<string, string> =>
    Object.fromEntries(
      answers.flatMap(([name, { [field]: text }]) => (text === undefined ? [] : [[name, text]])),
    );
  return { constants: pick('value'), refusals: pick('refusal'), warnings: Object.values(pick('warning')) };
}
