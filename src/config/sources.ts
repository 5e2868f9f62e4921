// Where a variable's text comes from: its own name, an alias, wp-config.php. Knows nothing of what values mean.
import { decodeBytes, TextError, whyUnreadable } from '../untrusted/text-file.ts';
import { exampleOf } from './build.ts';
import { quoted } from './describe.ts';
import { PhpError } from './php.ts';
import { type VariableName, variableNames, variables } from './variables.ts';
import { parseWpConfig } from './wp-config.ts';

export type Env = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => Uint8Array;

/** A value as found, and how to call the place where it was found. */
interface Found {
  readonly text: string;
  readonly label: string;
}

export interface Gathered {
  readonly found: ReadonlyMap<VariableName, Found>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Env files for containers keep quotes that a shell would have taken away; no value of ours is quoted itself. */
export const clean = (raw: string | undefined): string | undefined => {
  const text = (raw ?? '')
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .trim();
  return text === '' ? undefined : text;
};

function aliasOf(name: VariableName, env: Env): { alias: string; text: string } | undefined {
  for (const alias of variables[name].aliases) {
    const text = clean(env[alias]);
    if (text !== undefined) return { alias, text };
  }
  return undefined;
}

function findInEnvironment(name: VariableName, env: Env): { found?: Found; warnings: string[] } {
  const direct = clean(env[name]);
  const other = aliasOf(name, env);
  if (direct === undefined)
    return other
      ? { found: { text: other.text, label: `${other.alias}, read as ${name},` }, warnings: [] }
      : { warnings: [] };
  const conflict = other !== undefined && other.text !== direct;
  const warnings = conflict ? [`${name} and ${other.alias} are both set and differ; ${name} is used`] : [];
  return { found: { text: direct, label: name }, warnings };
}

function gatherEnvironment(env: Env): Gathered {
  const all = variableNames.map((name) => ({ name, ...findInEnvironment(name, env) }));
  return {
    found: new Map(all.flatMap(({ name, found }) => (found ? [[name, found] as const] : []))),
    problems: [],
    warnings: all.flatMap(({ warnings }) => warnings),
  };
}

const credentialKinds: readonly (readonly VariableName[])[] = [
  ['RUNCLOUD_API_TOKEN'],
  ['RUNCLOUD_API_KEY', 'RUNCLOUD_API_SECRET'],
];

/** Credentials of the environment are not overruled by another kind of credentials that the file happens to hold. */
function isOverruled(name: VariableName, environment: Gathered): boolean {
  const others = credentialKinds.filter((kind) => !kind.includes(name)).flat();
  return credentialKinds.flat().includes(name) && others.some((other) => environment.found.has(other));
}

const aliased = variableNames.flatMap((name) => variables[name].aliases.map((alias) => ({ name, alias })));

/** What the file says, and what it may say: a refusal counts only where the value is needed. */
interface FileGathered extends Gathered {
  readonly refused: ReadonlyMap<VariableName, string>;
}

function gatherText(path: string, text: string): FileGathered {
  const { constants, refusals, warnings } = parseWpConfig(
    text,
    aliased.map(({ alias }) => alias),
  );
  const found = aliased.flatMap(({ name, alias }) => {
    const value = constants[alias];
    return value?.trim() ? [[name, { text: value, label: `${alias} in ${path}` }] as const] : [];
  });
  const refused = aliased.flatMap(({ name, alias }) => {
    const sentence = `${alias} in ${path} is not used: ${refusals[alias]}; set ${name} in the environment or in .env`;
    return refusals[alias] === undefined ? [] : [[name, `${sentence}; ${exampleOf(name)}`] as const];
  });
  const isEmpty = found.length + refused.length === 0;
  const told = isEmpty ? ['defines none of the constants that are read'] : warnings;
  return {
    found: new Map(found),
    refused: new Map(refused),
    problems: [],
    warnings: told.map((warning) => `${path}: ${warning}`),
  };
}

/** The problem of a file that a variable names. */
export const unreadable = (name: VariableName, path: string, reason: string): string =>
  `${name} cannot be read: ${reason}, got ${quoted(name, path)}; ${exampleOf(name)}`;

/** A parser would be at it for a minute or more. */
const MAX_PHP_BYTES = 4 * 1024 * 1024;

const toReason = (error: unknown): string =>
  error instanceof PhpError
    ? `line ${error.line ?? 1} or what follows is no PHP that this program knows; set the RUNCLOUD_* variables themselves, without WP_CONFIG`
    : whyUnreadable(error);

function gatherFile(path: string, readFile: ReadFile): FileGathered {
  try {
    const bytes = readFile(path);
    if (bytes.length > MAX_PHP_BYTES) throw new TextError('it is larger than 4 MB, and so no wp-config.php');
    return gatherText(path, decodeBytes(bytes));
  } catch (error) {
    const problems = [unreadable('WP_CONFIG', path, toReason(error))];
    return { found: new Map(), refused: new Map(), problems, warnings: [] };
  }
}

/** The text of every variable that is set anywhere: the environment first, then the file that WP_CONFIG names. */
export function gather(env: Env, readFile: ReadFile): Gathered {
  const environment = gatherEnvironment(env);
  const path = environment.found.get('WP_CONFIG')?.text;
  if (path === undefined) return environment;
  const file = gatherFile(path, readFile);
  const isNeeded = ([name]: readonly [VariableName, unknown]): boolean =>
    !environment.found.has(name) && !isOverruled(name, environment);
  const refused = [...file.refused].filter(isNeeded).map(([, problem]) => problem);
  return {
    found: new Map([...[...file.found].filter(isNeeded), ...environment.found]),
    problems: [...environment.problems, ...file.problems, ...refused],
    warnings: [...environment.warnings, ...file.warnings],
  };
}
