// The configuration: environment, .env file and wp-config.php in, one frozen Config or one readable error out.
// The only file that may read process.env. The variables and their meaning: schema.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { codeOf, decodeText, whyUnreadable } from '../untrusted/text-file.ts';
import { checkCertificates } from './certificates.ts';
import { type Config, judge, toConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { type Entry, entriesOf, fill, type Schema, type SettingsOf } from './entry.ts';
import { judgeEnvFile } from './env-file.ts';
import { quoted } from './mask.ts';
import { exampleOf, IS_DOCUMENTED_EXAMPLE, unreadableDotEnv } from './messages.ts';
import { removed, schema } from './schema.ts';
import { clean, type Env, type Gathered, gather, type ReadFile } from './sources.ts';
import { suggestions } from './suggestions.ts';

export {
  type ApiRole,
  type ApiToken,
  apiRoles,
  type BoardRole,
  type BoardUser,
  boardRoles,
} from './access-kinds.ts';
export {
  assertServable,
  type Config,
  type RunCloudCredentials,
  requireCredentials,
  type ServerConfig,
} from './config.ts';
export { ConfigError } from './config-error.ts';
export type { Entry } from './entry.ts';
export { secretsOf } from './mask.ts';
export { entries } from './schema.ts';

/** `warnings` are sentences for a person. None of them stops the program. */
export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
  /** Whether a `.env` file was read. */
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

const withoutQuotes = (text: string): string => text.replace(/^'(.*)'$/, '$1');

/** The end of the sentence that begins with the variable's name; undefined if the text is right. */
function complaintOf(entry: Entry, text: string): string | undefined {
  const isCopied = withoutQuotes(entry.example) === withoutQuotes(text);
  if (entry.secret && isCopied) return IS_DOCUMENTED_EXAMPLE;
  const parsed = entry.kind.parse(text);
  if (!('complaint' in parsed)) return undefined;
  const got = entry.secret ? '' : `, got ${quoted(entry, text)}`;
  return `${parsed.complaint}${got}; ${exampleOf(entry)}`;
}

interface Read<S> {
  readonly settings: SettingsOf<S>;
  /** Entries with a wrong value. They count as not set, so that all problems are found at once. */
  readonly broken: ReadonlySet<Entry>;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

function readGathered<S extends Schema>(of: S, { found, ...gathered }: Gathered): Read<S> {
  const broken = new Set<Entry>();
  const problems = [...gathered.problems];
  const settings = fill(of, (entry) => {
    const { text, label } = found.get(entry) ?? {};
    if (text === undefined) return entry.absent;
    const complaint = complaintOf(entry, text);
    const parsed = entry.kind.parse(text);
    if (complaint === undefined && 'value' in parsed) return parsed.value;
    broken.add(entry);
    problems.push(`${label} ${complaint}`);
    return entry.absent;
  });
  return { settings, broken, problems, warnings: gathered.warnings };
}

/** The settings of any schema: what each of its entries is in `env`, or in the file that WP_CONFIG names. */
export function readSettings<S extends Schema>(of: S, env: Env, readFile: ReadFile = readFileSync): Read<S> {
  const entries = entriesOf(of);
  const gathered = gather(entries, env, readFile);
  const { problems, warnings, ...read } = readGathered(of, gathered);
  return {
    ...read,
    problems: [...checkCertificates(gathered, readFile), ...problems],
    warnings: [...warnings, ...suggestions(Object.keys(withoutEmpty(env)), entries, removed)],
  };
}

/**
 * Reads the configuration from `env`, and from the file that WP_CONFIG names in it. An empty variable counts as not set.
 * Throws ConfigError with all problems at once. No message contains a secret.
 */
export function parseConfig(env: Env, { readFile, isTty = false }: ParseOptions = {}): LoadedConfig {
  const { settings, broken, ...read } = readSettings(schema, env, readFile);
  const together = judge(settings, broken);
  const problems = [...read.problems, ...together.problems];
  const warnings = [...read.warnings, ...together.warnings];
  if (problems.length > 0) throw new ConfigError(problems, warnings);
  return { config: freeze(toConfig(settings, isTty)), warnings };
}

/** The variables of `.env`, and its lines that have no effect; undefined without such a file. */
function readDotEnv(directory: string): { env: Env; warnings: string[] } | undefined {
  const path = join(directory, '.env');
  try {
    const text = decodeText(readFileSync(path));
    return { env: parseEnv(text), warnings: judgeEnvFile(text) };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new ConfigError([unreadableDotEnv(path, whyUnreadable(error))]);
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
