// The kinds of values of the HTTP server, its users and its callbacks. Complaints count entries and never repeat one.
import { isIP } from 'node:net';
import { toPathPrefix } from '../listening/prefix.ts';
import { isPasswordHash } from './credential-hashes.ts';
import { type Kind, kind } from './kinds.ts';
import type { ApiRole, ApiToken, BoardRole, BoardUser } from './shape.ts';
import { isLoopback, isWebAddress, spellingComplaint } from './url-kinds.ts';

export const apiRoles = ['enqueue', 'read', 'operate'] as const satisfies readonly ApiRole[];
export const boardRoles = ['viewer', 'operator'] as const satisfies readonly BoardRole[];

/** Without brackets around an IPv6 address, as node:net takes it. */
export const host: Kind<string> = kind('a host name or an IP address, without a port', (raw) => {
  const address = raw.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 || /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(raw) ? address : undefined;
});

/** `/domains`; '' is none. */
export const pathPrefix: Kind<string> = kind(
  'a path such as /domains: letters, digits, dot, -, _ and ~, not one that begins with a path of the server itself (/v1, /board, …)',
  toPathPrefix,
);

/** True for what only this machine reaches. */
export const isLoopbackHost = (name: string): boolean => isLoopback(isIP(name) === 6 ? `[${name}]` : name);

const split = (raw: string): string[] => raw.split(/[\s,]+/).filter((item) => item !== '');

interface List<T> {
  readonly accepts: string;
  readonly toEntry: (item: string) => T | undefined;
  /** What may stand once only. */
  readonly keyOf: (entry: T) => string;
  readonly repeats: string;
  /** What is wrong with an entry that is none; must not repeat any of it. */
  readonly whyNot?: (item: string) => string | undefined;
  /** The documentation's own, which anybody knows. */
  readonly example?: string;
}

function complaintOf<T>({ accepts, toEntry, keyOf, repeats, whyNot, example }: List<T>, raw: string) {
  // The example may stand in the quotes that a shell takes away.
  if (raw === example?.replace(/^'(.*)'$/, '$1'))
    return "is the documentation's example: put the real value there";
  const items = split(raw);
  const entries = items.map(toEntry);
  const wrong = entries.indexOf(undefined);
  const why = whyNot?.(items[wrong] ?? '') ?? (entries.length > 1 ? 'is not' : undefined);
  const which = wrong >= 0 && why ? ` (entry ${wrong + 1} ${why})` : '';
  if (entries.length === 0 || wrong >= 0) return `must be ${accepts}${which}`;
  const keys = entries.map((entry) => keyOf(entry as T));
  const again = keys.findIndex((key, i) => keys.indexOf(key) < i);
  return again < 0 ? undefined : `holds ${repeats} twice (entry ${again + 1})`;
}

/** Entries with commas or white space between them. */
const listOf = <T>(list: List<T>): Kind<readonly T[]> =>
  kind<readonly T[]>(
    list.accepts,
    (raw) =>
      complaintOf(list, raw) === undefined
        ? split(raw).flatMap((item) => list.toEntry(item) ?? [])
        : undefined,
    (raw) => complaintOf(list, raw) ?? '',
  );

const toParts = (item: string) => /^([\w.-]{1,64}):(\w+):(.+)$/.exec(item)?.slice(1) ?? [];

/** A list of `name:role:hash`; a name goes into logs, metrics and the audit log, and stands once. */
const credentialsOf = <Role extends string>(
  roles: readonly Role[],
  isHash: (text: string) => boolean,
  hint = '',
): Pick<List<{ name: string; role: Role; hash: string }>, 'toEntry' | 'keyOf' | 'repeats' | 'whyNot'> => ({
  toEntry(item) {
    const [name = '', text, hash = ''] = toParts(item);
    const role = roles.find((each) => each === text);
    return role !== undefined && isHash(hash) ? { name, role, hash } : undefined;
  },
  keyOf: ({ name }) => name,
  repeats: 'a name',
  whyNot(item) {
    const [name, role] = toParts(item);
    if (name === undefined) return 'has no such three parts; a name has letters, digits, dot, - and _ only';
    if (!roles.some((each) => each === role)) return 'names another role';
    return `has no such hash${hint}`;
  },
});

export const apiTokens = (example: string): Kind<readonly ApiToken[]> =>
  listOf<ApiToken>({
    accepts: `entries name:role:hash (role: ${apiRoles.join(', ')}; hash: 64 hex digits), as \`token create\` prints them, with commas or spaces between them`,
    ...credentialsOf(apiRoles, (hash) => /^[\da-f]{64}$/.test(hash)),
    example,
  });

export const boardUsers = (example: string): Kind<readonly BoardUser[]> =>
  listOf<BoardUser>({
    accepts: `entries name:role:hash (role: ${boardRoles.join(', ')}; hash: scrypt$…), as \`board password\` prints them, with commas or spaces between them`,
    ...credentialsOf(
      boardRoles,
      isPasswordHash,
      '; a shell takes its `$` away where no single quotes stand round it',
    ),
    example,
  });

export const callbackUrls: Kind<readonly string[]> = listOf({
  accepts: 'https:// addresses without credentials (http:// for this machine only), with commas between them',
  toEntry: (item) =>
    isWebAddress(item, isLoopback) && spellingComplaint(item) === undefined ? item : undefined,
  whyNot: spellingComplaint,
  keyOf: (url) => url,
  repeats: 'an address',
});

/** As the Standard Webhooks specification has it: `whsec_` and the base64 of 24 to 64 bytes. */
function isWebhookSecret(item: string): boolean {
  const [, text = ''] = /^whsec_([A-Za-z\d+/]+={0,2})$/.exec(item) ?? [];
  const bytes = Buffer.from(text, 'base64');
  return bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === text;
}

export const callbackSecrets = (example: string): Kind<readonly string[]> =>
  listOf<string>({
    accepts: 'secrets whsec_ followed by the base64 of 24 to 64 random bytes, with commas between them',
    toEntry: (item) => (isWebhookSecret(item) ? item : undefined),
    keyOf: (secret) => secret,
    repeats: 'a secret',
    example,
  });
