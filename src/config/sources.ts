// Where a variable's text comes from: its own name, an alias, wp-config.php. Knows nothing of what values mean.
import { decodeBytes, TextError, whyUnreadable } from '../untrusted/text-file.ts';
import type { Entry } from './entry.ts';
import { quoted } from './mask.ts';
import * as messages from './messages.ts';
import { PhpError } from './php.ts';
import { schema } from './schema.ts';
import { parseWpConfig } from './wp-config.ts';

export type Env = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => Uint8Array;

/** A text, and the name of the place where it was found. */
interface Found {
  readonly text: string;
  readonly label: string;
}

export interface Gathered {
  readonly found: ReadonlyMap<Entry, Found>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Env files for containers keep quotes that a shell would remove. No value of ours begins and ends with quotes. */
export const clean = (raw: string | undefined): string | undefined => {
  const text = (raw ?? '')
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .trim();
  return text === '' ? undefined : text;
};

function gatherEnvironment(entries: readonly Entry[], env: Env): Gathered {
  const found = new Map<Entry, Found>();
  const warnings: string[] = [];
  for (const entry of entries) {
    const { name, aliases } = entry;
    const direct = clean(env[name]);
    const alias = aliases.find((each) => clean(env[each]) !== undefined) ?? '';
    const other = clean(env[alias]);
    if (direct !== undefined) found.set(entry, { text: direct, label: name });
    else if (other !== undefined) found.set(entry, { text: other, label: messages.readFrom(alias, name) });
    if (direct !== undefined && other !== undefined && other !== direct)
      warnings.push(messages.aliasDiffers(name, alias));
  }
  return { found, problems: [], warnings };
}

const { token, key, secret } = schema.runcloud;
const credentials: readonly (readonly Entry[])[] = [[token], [key, secret]];

/** Credentials of the environment win over another kind of credentials in the file. */
function isOverruled(entry: Entry, environment: Gathered): boolean {
  const others = credentials.filter((kind) => !kind.includes(entry)).flat();
  return credentials.flat().includes(entry) && others.some((other) => environment.found.has(other));
}

/** A refusal of the file counts only if its value is needed. */
interface FileGathered extends Gathered {
  readonly refused: ReadonlyMap<Entry, string>;
}

function gatherText(entries: readonly Entry[], path: string, text: string): FileGathered {
  const aliased = entries.flatMap((entry) => entry.aliases.map((alias) => ({ entry, alias })));
  const names = aliased.map(({ alias }) => alias);
  const { constants, refusals, warnings } = parseWpConfig(text, names);
  const found = aliased.flatMap(({ entry, alias }) => {
    const value = constants[alias];
    return value?.trim() ? [[entry, { text: value, label: messages.readIn(alias, path) }] as const] : [];
  });
  const refused = aliased.flatMap(({ entry, alias }) => {
    const reason = refusals[alias];
    return reason === undefined
      ? []
      : [[entry, messages.refusedConstant(entry, alias, path, reason)] as const];
  });
  const isEmpty = found.length + refused.length === 0;
  const complaints = isEmpty ? [messages.NOTHING_READ] : warnings;
  return {
    found: new Map(found),
    refused: new Map(refused),
    problems: [],
    warnings: complaints.map((warning) => messages.inFile(path, warning)),
  };
}

/** The problem of a file that a variable names. */
export const unreadable = (entry: Entry, path: string, reason: string): string =>
  messages.unreadableFile(entry, quoted(entry, path), reason);

/** The parser would need a minute or more. */
const MAX_PHP_BYTES = 4 * 1024 * 1024;

const toReason = (error: unknown): string =>
  error instanceof PhpError ? messages.notPhp(error.line) : whyUnreadable(error);

function gatherFile(entries: readonly Entry[], path: string, readFile: ReadFile): FileGathered {
  try {
    const bytes = readFile(path);
    if (bytes.length > MAX_PHP_BYTES) throw new TextError(messages.LARGE_PHP);
    return gatherText(entries, path, decodeBytes(bytes));
  } catch (error) {
    const problems = [unreadable(schema.wpConfigPath, path, toReason(error))];
    return { found: new Map(), refused: new Map(), problems, warnings: [] };
  }
}

/** The text of every variable that is set: the environment first, then the file that WP_CONFIG names. */
export function gather(entries: readonly Entry[], env: Env, readFile: ReadFile): Gathered {
  const environment = gatherEnvironment(entries, env);
  const path = environment.found.get(schema.wpConfigPath)?.text;
  if (path === undefined) return environment;
  const file = gatherFile(entries, path, readFile);
  const isNeeded = ([entry]: readonly [Entry, unknown]): boolean =>
    !environment.found.has(entry) && !isOverruled(entry, environment);
  const refused = [...file.refused].filter(isNeeded).map(([, problem]) => problem);
  return {
    found: new Map([...[...file.found].filter(isNeeded), ...environment.found]),
    problems: [...file.problems, ...refused],
    warnings: [...environment.warnings, ...file.warnings],
  };
}
