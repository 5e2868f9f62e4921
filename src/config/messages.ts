// The sentences of the configuration. Pure: facts in, text out. None contains a value that may be a secret.
// What each kind of value accepts is in its own file (kinds.ts, network-kinds.ts, access-kinds.ts).
import type { Entry } from './entry.ts';

/** "example: NAME=value", as it ends every problem. */
export const exampleOf = ({ name, example }: Pick<Entry, 'name' | 'example'>): string =>
  `example: ${name}=${example}`;

type Named = Pick<Entry, 'name' | 'example'>;

// Problems of one variable.
export const IS_DOCUMENTED_EXAMPLE = "is the documentation's example: set the real value";
export const readFrom = (alias: string, name: string): string => `${alias}, read as ${name},`;
export const readIn = (alias: string, path: string): string => `${alias} in ${path}`;
/** `shown`: the masked path. */
export const unreadableFile = (entry: Named, shown: string, reason: string): string =>
  `${entry.name} cannot be read: ${reason}, got ${shown}; ${exampleOf(entry)}`;
export const unreadableDotEnv = (path: string, reason: string): string => `${path} cannot be read: ${reason}`;
export const NO_CERTIFICATE = 'it has no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----';
export const brokenCertificate = (number: number): string =>
  `its certificate ${number} is broken: copy it again`;

// Problems of several variables.
export const needs = (present: Named, missing: Named): string =>
  `${missing.name} is missing: ${present.name} needs it; ${exampleOf(missing)}`;
export const pairWithV3 = (token: Named): string =>
  `RUNCLOUD_API_URL names API v3, which takes no key pair: set RUNCLOUD_API_TOKEN, or remove RUNCLOUD_API_URL; ${exampleOf(token)}`;
export const caWithoutTls = (redisUrl: Named): string =>
  `REDIS_CA_FILE is set, but REDIS_URL begins with redis://, which has no TLS: write rediss://, or remove REDIS_CA_FILE; ${exampleOf(redisUrl)}`;
export const openServer = (host: string): string =>
  `API_TOKENS is missing: other machines reach SERVER_HOST=${host}, so every request needs a token. Make one with \`runcloud-domains token create --name NAME --role enqueue\`, or set SERVER_HOST=127.0.0.1`;
export const noCredentials = (token: Named): string =>
  `RUNCLOUD_API_TOKEN is missing (or, for API v2, RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET); ${exampleOf(token)}`;

// Warnings.
export const TOKEN_IGNORED = 'RUNCLOUD_API_TOKEN is ignored: API v2 (RUNCLOUD_API_URL) uses the key pair';
export const PAIR_IGNORED =
  'RUNCLOUD_API_KEY and RUNCLOUD_API_SECRET are ignored: RUNCLOUD_API_TOKEN is used';
export const outdatedHashes = (users: readonly string[]): string =>
  `BOARD_USERS has passwords with an outdated hash (${users.join(', ')}). They still work. Make new entries with \`runcloud-domains board password\`.`;
export const aliasDiffers = (name: string, alias: string): string =>
  `${name} and ${alias} are both set and differ; ${name} is used`;
const notASetting = (name: string): string => `${name} is not a setting of this program`;
export const unknownName = (name: string): string => `${notASetting(name)} and has no effect`;
export const removedName = (name: string): string => `${unknownName(name)}: remove it`;
export const similarName = (name: string, meant: string): string =>
  `${notASetting(name)} (did you mean ${meant}?)`;

// Lines of .env.
export const lineWithoutEffect = (line: number): string =>
  `line ${line} of .env has no effect: write NAME=value`;
export const setAgain = (line: number, name: string, before: number): string =>
  `line ${line} of .env sets ${name} again, so line ${before} has no effect: remove one of them`;
const losses = {
  'behind-quote':
    'the text after the closing quote has no effect: remove it, or put the whole value in quotes',
  'behind-hash': 'the text from the # on has no effect: put the value in quotes',
} as const;
/** A part of a value that does not count: it follows a closing quote, or a `#`. */
export type Lost = keyof typeof losses;
export const partlyLost = (line: number, name: string, lost: Lost): string =>
  `line ${line} of .env sets ${name}, but ${losses[lost]}`;

// wp-config.php.
export const LARGE_PHP = 'it is larger than 4 MB, so it is no wp-config.php';
export const notPhp = (line = 1): string =>
  `line ${line} or what follows is no PHP that this program knows; set the RUNCLOUD_* variables themselves, without WP_CONFIG`;
export const refusedConstant = (entry: Named, alias: string, path: string, reason: string): string =>
  `${alias} in ${path} is not used: ${reason}; set ${entry.name} in the environment or in .env; ${exampleOf(entry)}`;
export const inFile = (path: string, warning: string): string => `${path}: ${warning}`;
export const NOTHING_READ = 'defines none of the constants that are read';
export const mentionedInside = (line: number, place: string): string =>
  `line ${line} names it inside ${place}: only a definition at the top level counts`;
/** `does`: what the other line does, from php-effects.ts. */
export const definedBehind = (line: number, otherLine: number, does: string): string =>
  `line ${line} defines it, but line ${otherLine} ${does}`;
export const notLiteral = (line: number): string =>
  `line ${line} gives it a value that is no plain text and no decimal number`;
export const definedTwice = (name: string): string =>
  `${name} is defined more than once; the first definition is used, as in PHP`;
