// Kinds of values of the HTTP server, its users, the callbacks and the certificates. Complaints count
// entries and never repeat one.
import { isIP } from 'node:net';
import { toPathPrefix } from '../listening/prefix.ts';
import { isPasswordHash } from './credential-hashes.ts';
import { type Kind, kind, type List, listOf } from './kinds.ts';
import { isLoopback, isWebAddress, spellingComplaint } from './network-kinds.ts';

export const apiRoles = ['enqueue', 'read', 'operate'] as const;
/** `enqueue` adds and removes domains, `read` shows their status, `operate` does both and controls the queue. */
export type ApiRole = (typeof apiRoles)[number];

export const boardRoles = ['viewer', 'operator'] as const;
export type BoardRole = (typeof boardRoles)[number];

/** `hash`: of an API token SHA-256 in hex, of a board user `scrypt$N$r$p$salt$key` in base64url. */
export interface Credential<Role> {
  readonly name: string;
  readonly role: Role;
  readonly hash: string;
}
export type ApiToken = Credential<ApiRole>;
export type BoardUser = Credential<BoardRole>;

/** Without brackets around an IPv6 address, as node:net takes it. */
export const host = kind('a host name or an IP address, without a port', (raw) => {
  const address = raw.replace(/^\[(.*)\]$/, '$1');
  return isIP(address) !== 0 || /^[a-z\d]([a-z\d.-]*[a-z\d])?$/i.test(raw) ? address : undefined;
});

/** True for an address that only this machine reaches. */
export const isLoopbackHost = (name: string): boolean => isLoopback(isIP(name) === 6 ? `[${name}]` : name);

/** `/domains`; '' for none. */
export const pathPrefix = kind(
  'a path such as /domains: letters, digits, dot, -, _ and ~, and no path of the server itself (/v1, /board, …)',
  toPathPrefix,
);

const toParts = (item: string) => /^([\w.-]{1,64}):(\w+):(.+)$/.exec(item)?.slice(1) ?? [];

/** Entries `name:role:hash`. The name appears in logs, metrics and the audit log. */
function credentials<Role extends string>(
  roles: readonly Role[],
  {
    hash: hashWords,
    by,
    isHash,
    hint = '',
  }: { hash: string; by: string; isHash: (text: string) => boolean; hint?: string },
): Kind<readonly Credential<Role>[]> {
  const list: List<Credential<Role>> = {
    accepts: `entries name:role:hash (role: ${roles.join(', ')}; hash: ${hashWords}), as \`${by}\` prints them, with commas or spaces between them`,
    separator: /[\s,]+/,
    toEntry(item) {
      const [name = '', text, hash = ''] = toParts(item);
      const role = roles.find((each) => each === text);
      return role !== undefined && isHash(hash) ? { name, role, hash } : undefined;
    },
    whyNot(item) {
      const [name, role] = toParts(item);
      if (name === undefined) return 'lacks these three parts; a name has letters, digits, dot, - and _ only';
      return roles.some((each) => each === role) ? `has an invalid hash${hint}` : 'has an unknown role';
    },
    unique: { keyOf: ({ name }) => name, what: 'a name' },
  };
  return listOf(list);
}

export const apiTokens = credentials(apiRoles, {
  hash: '64 hex digits',
  by: 'token create',
  isHash: (hash) => /^[\da-f]{64}$/.test(hash),
});

export const boardUsers = credentials(boardRoles, {
  hash: 'scrypt$…',
  by: 'board password',
  isHash: isPasswordHash,
  hint: '; without single quotes around the value a shell removes its `$`',
});

export const callbackUrls: Kind<readonly string[]> = listOf({
  accepts: 'https:// addresses without credentials (http:// for this machine only), with commas between them',
  separator: /[\s,]+/,
  toEntry: (item) =>
    isWebAddress(item, isLoopback) && spellingComplaint(item) === undefined ? item : undefined,
  whyNot: spellingComplaint,
  unique: { keyOf: (url) => url, what: 'an address' },
});

/** As the Standard Webhooks specification has it: `whsec_` and the base64 of 24 to 64 bytes. */
function isWebhookSecret(item: string): boolean {
  const [, text = ''] = /^whsec_([A-Za-z\d+/]+={0,2})$/.exec(item) ?? [];
  const bytes = Buffer.from(text, 'base64');
  return bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === text;
}

export const callbackSecrets: Kind<readonly string[]> = listOf({
  accepts: 'secrets whsec_ followed by the base64 of 24 to 64 random bytes, with commas between them',
  separator: /[\s,]+/,
  toEntry: (item) => (isWebhookSecret(item) ? item : undefined),
  unique: { keyOf: (secret) => secret, what: 'a secret' },
});

/** What SSL_INSTALL says. `environment` and `challenge` also count for advanced SSL, whatever `when` is. */
export interface SslInstall {
  /** Where basic SSL has no certificate at all. */
  readonly when: 'off' | 'letsencrypt';
  readonly environment: 'live' | 'staging';
  readonly challenge: 'http-01' | 'dns-01';
  /** Set for `dns-01`. */
  readonly dnsIntegration: number | undefined;
}

export const sslInstall: Kind<SslInstall> = kind(
  'off, letsencrypt, letsencrypt-staging, letsencrypt-dns:ID or letsencrypt-staging-dns:ID (ID: the DNS integration in RunCloud)',
  (text) => {
    const found = /^(?:off|letsencrypt(-staging)?(?:-dns:([1-9]\d{0,14}))?)$/i.exec(text);
    if (found === null) return undefined;
    const [, staging, id] = found;
    return {
      when: text.toLowerCase() === 'off' ? 'off' : 'letsencrypt',
      environment: staging ? 'staging' : 'live',
      challenge: id === undefined ? 'http-01' : 'dns-01',
      dnsIntegration: id === undefined ? undefined : Number(id),
    };
  },
);
