// Where a variable's text comes from: its own name, an alias, wp-config.php. Knows nothing of what values mean.
import { parseWpConfig } from '../wp-config.ts';
import { type VariableName, variableNames, variables } from './variables.ts';

export type Env = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => string;

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

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'it is a directory; name the file itself',
  EACCES: 'this user may not read it',
};

/** The `code` of an error of node:fs. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;

function toReason(error: unknown): string {
  const code = codeOf(error) ?? 'unknown error';
  return reasons[code] ?? code;
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

function gatherText(path: string, text: string): Gathered {
  const parsed = parseWpConfig(
    text,
    aliased.map(({ alias }) => alias),
  );
  const found = aliased.flatMap(({ name, alias }) => {
    const value = clean(parsed.constants[alias]);
    return value === undefined ? [] : [[name, { text: value, label: `${alias} in ${path}` }] as const];
  });
  const isEmpty = found.length + parsed.warnings.length === 0;
  const warnings = isEmpty ? ['defines none of the constants that are read'] : parsed.warnings;
  return { found: new Map(found), problems: [], warnings: warnings.map((warning) => `${path}: ${warning}`) };
}

const unreadable = (name: VariableName, path: string, error: unknown): string =>
  `${name} cannot be read: ${toReason(error)}, got "${path}"; example: ${name}=${variables[name].example}`;

function gatherFile(path: string, readFile: ReadFile): Gathered {
  try {
    return gatherText(path, readFile(path));
  } catch (error) {
    return { found: new Map(), problems: [unreadable('WP_CONFIG', path, error)], warnings: [] };
  }
}

/** Whoever needs the file reads it later; that it is missing should come to light at the start. */
function checkFile(name: VariableName, { found }: Gathered, readFile: ReadFile): string[] {
  const path = found.get(name)?.text;
  if (path === undefined) return [];
  try {
    readFile(path);
    return [];
  } catch (error) {
    return [unreadable(name, path, error)];
  }
}

/** The text of every variable that is set anywhere: the environment first, then the file that WP_CONFIG names. */
export function gather(env: Env, readFile: ReadFile): Gathered {
  const given = gatherEnvironment(env);
  const environment = { ...given, problems: checkFile('TLS_CA_FILE', given, readFile) };
  const path = environment.found.get('WP_CONFIG')?.text;
  if (path === undefined) return environment;
  const file = gatherFile(path, readFile);
  const used = [...file.found].filter(([name]) => !isOverruled(name, environment));
  return {
    found: new Map([...used, ...environment.found]),
    problems: [...environment.problems, ...file.problems],
    warnings: [...environment.warnings, ...file.warnings],
  };
}
