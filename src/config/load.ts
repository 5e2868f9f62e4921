// The configuration: environment, .env file and wp-config.php in, one frozen Config or one readable error out.
// The only file that may read process.env. What variables exist and mean: config/variables.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { codeOf, decodeText, whyUnreadable } from '../untrusted/text-file.ts';
import { build, exampleOf } from './build.ts';
import { checkCertificates } from './certificates.ts';
import { ConfigError } from './config-error.ts';
import { quoted } from './describe.ts';
import { judgeEnvFile } from './env-file.ts';
import type { Config, RunCloudCredentials } from './shape.ts';
import { clean, type Env, type Gathered, gather, type ReadFile } from './sources.ts';
import { suggestions } from './suggestions.ts';
import { environment, type Values, type VariableName, variableNames, variables } from './variables.ts';

export { assertServable } from './build-server.ts';
export { ConfigError } from './config-error.ts';
export { type DescribedVariable, describeConfig, secretsOf } from './describe.ts';
export type { LogFormat, LogLevel } from './kinds.ts';
export { apiRoles, boardRoles } from './server-kinds.ts';
export type {
  ApiRole,
  ApiToken,
  BoardRole,
  BoardUser,
  CallbackConfig,
  Config,
  RunCloudConfig,
  RunCloudCredentials,
  ServerConfig,
} from './shape.ts';
export { type Variable, type VariableName, variables } from './variables.ts';

/** `warnings` are sentences for a person; nothing in them stops the program. */
export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Whether a `.env` file was there to be read. */
  readonly hasDotEnv?: boolean;
}

export interface ParseOptions {
  /** Returns a file's bytes or throws as node:fs does. Default: node:fs. */
  readonly readFile?: ReadFile;
  /** Whether logs go to a terminal, which makes `pretty` the default format. Default: false. */
  readonly isTty?: boolean;
}

const withoutEmpty = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => clean(value) !== undefined));

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part);
  return Object.freeze(value);
}

interface Checked {
  readonly values: Values;
  readonly broken: ReadonlySet<VariableName>;
  readonly problems: readonly string[];
}

function toProblem({ found }: Gathered, name: VariableName, message: string): string {
  const { label, text } = found.get(name) ?? { label: name, text: '' };
  const got = variables[name].secret ? '' : `, got ${quoted(name, text)}`;
  // Who has copied the example needs no second look at it.
  const isCopied = `'${text}'` === variables[name].example || text === variables[name].example;
  return `${label} ${message}${got}${isCopied ? '' : `; ${exampleOf(name)}`}`;
}

/** Broken variables are reported and then count as unset, so that all problems come to light at once. */
function check(gathered: Gathered): Checked {
  const texts = [...gathered.found].map(([name, { text }]) => [name, text] as const);
  const issues = environment.safeParse(Object.fromEntries(texts)).error?.issues ?? [];
  const nameOf = (path: PropertyKey | undefined) => variableNames.filter((name) => name === path);
  const found = issues.flatMap(({ path, message }) => nameOf(path[0]).map((name) => ({ name, message })));
  const broken = new Set(found.map(({ name }) => name));
  const values = environment.parse(Object.fromEntries(texts.filter(([name]) => !broken.has(name))));
  return { values, broken, problems: found.map(({ name, message }) => toProblem(gathered, name, message)) };
}

/**
 * Reads the configuration from `env`, and from the file that WP_CONFIG names in it. An empty variable counts as unset.
 * Throws ConfigError with every problem at once; no message holds a secret's value.
 */
export function parseConfig(env: Env, options: ParseOptions = {}): LoadedConfig {
  const { readFile = readFileSync } = options;
  const gathered = gather(env, readFile);
  const { values, broken, problems } = check(gathered);
  const built = build(values, broken, options.isTty ?? false);
  const known = variableNames.flatMap((name) => [name, ...variables[name].aliases]);
  const warnings = [
    ...gathered.warnings,
    ...built.warnings,
    ...suggestions(Object.keys(withoutEmpty(env)), known),
  ];
  const files = checkCertificates(gathered, readFile);
  const all = [...files, ...gathered.problems, ...problems, ...built.problems];
  if (all.length > 0) throw new ConfigError(all, warnings);
  return { config: freeze(built.value), warnings };
}

/** What `.env` says, and which of its lines say nothing; undefined where there is none. */
function readDotEnv(directory: string): { env: Env; warnings: string[] } | undefined {
  const path = join(directory, '.env');
  try {
    const text = decodeText(readFileSync(path));
    return { env: parseEnv(text), warnings: judgeEnvFile(text) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new ConfigError([`${path} cannot be read: ${whyUnreadable(error)}`]);
  }
}

/**
 * The configuration of this process: its environment, then `.env` in the working directory, then WP_CONFIG.
 * Throws ConfigError, as `parseConfig` does.
 */
export function loadConfig(env: Env = process.env, directory: string = process.cwd()): LoadedConfig {
  const file = readDotEnv(directory);
  const merged = { ...withoutEmpty(file?.env ?? {}), ...withoutEmpty(env) };
  const { config, warnings } = parseConfig(merged, { isTty: process.stdout.isTTY === true });
  return { config, warnings: [...(file?.warnings ?? []), ...warnings], hasDotEnv: file !== undefined };
}

const USUAL_COLUMNS = 80;

/** How long a line may be: as COLUMNS says, else as the terminal does; undefined where it is none. */
export function terminalColumns(
  { isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number },
  env: Env = process.env,
): number | undefined {
  const told = Number(clean(env.COLUMNS));
  if (Number.isInteger(told) && told >= 20) return told;
  if (!isTTY) return undefined;
  return columns || USUAL_COLUMNS;
}

/**
 * The credentials of a program that calls RunCloud. Throws ConfigError where neither a token nor a key pair is set.
 */
export function requireCredentials(config: Config): RunCloudCredentials {
  const { credentials } = config.runcloud;
  if (credentials !== undefined) return credentials;
  throw new ConfigError([
    `RUNCLOUD_API_TOKEN is missing (or, for API v2, RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET); ${exampleOf('RUNCLOUD_API_TOKEN')}`,
  ]);
}
