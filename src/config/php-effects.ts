// What PHP code may do to the lines after it: end the script, or define their constants first. A list says what is known to be
// harmless, because nobody can list all the ways in which PHP calls a function by a computed name. Pure.
import { argumentsOf, calleeOf, literalOf, nodesBelow, nodesIn, type PhpNode } from './php.ts';

const includes = 'includes another file, which may define it first, or end the script';
const ends = 'may end the script, or jump';
const computes = 'runs computed code, or calls a function by a computed name';
const calls = 'calls a function that may define it first, or end the script';
const unknown = 'has code that may define it first, or end the script';

const obstacles: Readonly<Record<string, string>> = {
  include: includes,
  eval: computes,
  exit: ends,
  return: ends,
  throw: ends,
  goto: ends,
  halt: ends,
};

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** The only loop is `foreach`, which ends. No class, object or closure. No `match`, which throws if no arm fits. */
const harmlessKinds = words(`
  array assign assignref bin block boolean break byref case cast constant constantstatement continue declare declaredirective
  echo empty encapsed encapsedpart entry expressionstatement foreach function global identifier if inline isset label list magic
  name noop nowdoc nullkeyword number offsetlookup parameter print retif silent static staticvariable string switch typereference
  unary uniontype unset usegroup useitem variable
`);

/** PHP's own functions that configurations call. None takes a callback, defines a constant, loads a class or ends the script. */
const harmlessFunctions = words(`
  defined function_exists extension_loaded version_compare phpversion php_sapi_name php_uname gethostname getmypid
  getenv putenv ini_get ini_set set_time_limit error_reporting error_log ignore_user_abort
  date_default_timezone_set date_default_timezone_get setlocale mb_internal_encoding umask header headers_sent http_response_code
  file_exists is_file is_dir is_link is_readable is_writable filemtime filesize file_get_contents realpath dirname basename pathinfo
  getcwd sys_get_temp_dir parse_url http_build_query urlencode urldecode rawurlencode rawurldecode
  strlen strpos stripos strrpos strstr stristr strrchr str_contains str_starts_with str_ends_with strcmp strcasecmp strncmp strncasecmp
  strtolower strtoupper ucfirst lcfirst ucwords trim ltrim rtrim substr substr_replace str_replace str_ireplace strrev
  strtr nl2br addslashes stripslashes htmlspecialchars sprintf number_format explode implode join
  mb_strlen mb_strpos mb_substr mb_strtolower mb_strtoupper ctype_digit ctype_alpha ctype_alnum preg_match preg_quote
  in_array array_key_exists array_keys array_values array_merge array_unique array_search array_flip array_slice array_reverse
  array_shift array_pop array_push count sizeof end reset current key
  is_array is_string is_numeric is_int is_bool is_null intval floatval boolval strval abs round ceil floor
  md5 sha1 crc32 base64_encode base64_decode bin2hex uniqid
  time date gmdate microtime strtotime memory_get_usage
`);

/** None that divides or shifts: PHP throws at a zero, and at a negative distance. */
const operators = words('. + - * & | ^ && || and or xor == != === !== <> < <= > >= <=> ??');
const assignments = words('= .= ??= += -= *= |= &= ^=');

/** Kinds that are harmless in some of their forms. */
const forms: Readonly<Record<string, (node: PhpNode) => boolean>> = {
  bin: ({ type }) => operators.has(String(type)),
  assign: ({ operator }) => assignments.has(String(operator)),
  encapsed: ({ type }) => type !== 'shell',
  declaredirective: ({ key }) => /^strict_types$/i.test(String(nodesIn(key)[0]?.name)),
};

/** The functions of a file by name, in lower case: what each may do, as the end of a sentence; undefined: nothing. */
export type Declared = ReadonlyMap<string, string | undefined>;

/** A call of these has no computed name: a method, or the function itself. */
const places = words('staticlookup propertylookup nullsafepropertylookup closure arrowfunc');

function obstacleOfName(callee: string, declared: Declared, isInFunction: boolean): string | undefined {
  if (callee === 'exit' || callee === 'die') return ends;
  if (!declared.has(callee)) return harmlessFunctions.has(callee) ? undefined : calls;
  if (isInFunction) return calls;
  const does = declared.get(callee);
  return does && `calls a function that ${does}`;
}

function obstacleOfCall(call: PhpNode, declared: Declared, isInFunction: boolean): string | undefined {
  const callee = calleeOf(call);
  if (callee === undefined) return places.has(nodesIn(call.what)[0]?.kind ?? '') ? calls : computes;
  if (callee !== 'define') return obstacleOfName(callee, declared, isInFunction);
  const [name] = argumentsOf(call);
  return name && literalOf(name) !== undefined ? undefined : 'defines a constant whose name is computed';
}

/** `use function A\b as define`: the name means something else after it. For a class it does no harm. */
const isRenaming = ({ type, items }: PhpNode): boolean =>
  nodesIn(items).some((item) => Boolean(type ?? item.type));

/** What `node` itself may do, without the nodes below it, as the end of a sentence about its line; undefined: nothing. */
export function obstacleOf(node: PhpNode, declared: Declared, isInFunction = false): string | undefined {
  if (node.kind === 'call') return obstacleOfCall(node, declared, isInFunction);
  if (node.kind === 'return' && isInFunction) return undefined;
  if (node.kind === 'usegroup' && isRenaming(node))
    return 'gives the name of a function or constant another meaning';
  if (node.kind === 'inline' && String(node.value).includes('<?'))
    return "has `<?`, which is code or text, depending on PHP's settings";
  const isHarmless = harmlessKinds.has(node.kind) && (forms[node.kind]?.(node) ?? true);
  return isHarmless ? undefined : (obstacles[node.kind] ?? unknown);
}

/** A function is harmless if all in it is, and if it calls no other function of the file: that might never return. */
function effectOf(declaration: PhpNode, declared: Declared): string | undefined {
  for (const node of nodesBelow(declaration)) {
    const does = obstacleOf(node, declared, true);
    if (does !== undefined) return does;
  }
  return undefined;
}

/** The functions that a file declares, wherever. Of two with one name the worse counts. */
export function declaredIn(statements: readonly PhpNode[]): Declared {
  const found = new Map<string, PhpNode[]>();
  for (const statement of statements) {
    for (const node of nodesBelow(statement)) {
      if (node.kind !== 'function') continue;
      const name = String(nodesIn(node.name)[0]?.name ?? node.name).toLowerCase();
      const same = found.get(name);
      if (same) same.push(node);
      else found.set(name, [node]);
    }
  }
  const names = new Map([...found.keys()].map((name) => [name, undefined]));
  return new Map(
    [...found].map(([name, all]) => [
      name,
      all.map((one) => effectOf(one, names)).find((does) => does !== undefined),
    ]),
  );
}
