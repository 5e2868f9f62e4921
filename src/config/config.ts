// From settings to the Config: what concerns more than one variable. Pure.
import { isLoopbackHost } from './access-kinds.ts';
import { ConfigError } from './config-error.ts';
import { isOutdated } from './credential-hashes.ts';
import type { Entry } from './entry.ts';
import * as messages from './messages.ts';
import { isLoopback } from './network-kinds.ts';
import { type Settings, schema } from './schema.ts';

/** `token`: sent as Bearer. `key`: a key pair, sent as HTTP Basic; API v2 only. */
export type RunCloudCredentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'key'; readonly key: string; readonly secret: string };

/** RunCloud's own addresses, by version (runcloud.io/docs/api/v3, runcloud.io/docs/api/v2). */
const runcloudUrls = {
  2: 'https://manage.runcloud.io/api/v2',
  3: 'https://manage.runcloud.io/api/v3',
} as const;

/** v2 takes both. Given both, a key pair is what v2 was set up with (runcloud.io/docs/api/v2). */
function credentialsOf({ token, key, secret, api }: Settings['runcloud']): RunCloudCredentials | undefined {
  const pair =
    key !== undefined && secret !== undefined ? ({ kind: 'key', key, secret } as const) : undefined;
  if (pair && (token === undefined || api?.version === 2)) return pair;
  return token === undefined ? undefined : { kind: 'token', token };
}

function runcloudOf(settings: Settings['runcloud']) {
  const credentials = credentialsOf(settings);
  const version = settings.api?.version ?? (credentials?.kind === 'key' ? 2 : 3);
  return { ...settings, version, url: settings.api?.url ?? runcloudUrls[version], credentials };
}

/** RunCloud itself is at no loopback address. */
const isSimulator = ({ api }: Settings['runcloud']): boolean =>
  api !== undefined && isLoopback(new URL(api.url).hostname);

/** The settings, with what follows from others or from the terminal. Not yet frozen. */
export const toConfig = (settings: Settings, isTty: boolean) => ({
  ...settings,
  runcloud: runcloudOf(settings.runcloud),
  topLevelDomains: settings.topLevelDomains ?? (isSimulator(settings.runcloud) ? 'test' : 'public'),
  log: { level: settings.log.level, format: settings.log.format ?? (isTty ? 'pretty' : 'json') },
});

/** Deep-frozen. */
export type Config = Readonly<ReturnType<typeof toConfig>>;
export type ServerConfig = Config['server'];

function credentialProblems({ token, key, secret, api }: Settings['runcloud']): string[] {
  const own = schema.runcloud;
  if (token !== undefined || (key === undefined && secret === undefined)) return [];
  if (secret === undefined) return [messages.needs(own.key, own.secret)];
  if (key === undefined) return [messages.needs(own.secret, own.key)];
  return api?.version === 3 ? [messages.pairWithV3(own.token)] : [];
}

function credentialWarnings(runcloud: Settings['runcloud']): string[] {
  const { token, key, secret } = runcloud;
  if (token === undefined || (key === undefined && secret === undefined)) return [];
  return [credentialsOf(runcloud)?.kind === 'key' ? messages.TOKEN_IGNORED : messages.PAIR_IGNORED];
}

/** What is wrong with the settings together, unless one of them is a `broken` entry, whose problem is listed already. */
export function judge(settings: Settings, broken: ReadonlySet<Entry>) {
  const { redisUrl, redisCaFile, runcloud, callbacks, server } = settings;
  const { token, key, secret, api } = schema.runcloud;
  const areRight = (...entries: readonly Entry[]): boolean => !entries.some((entry) => broken.has(entry));
  const problems: string[] = [];
  const warnings: string[] = [];
  // Otherwise an operator believes that the connection is safe, although nothing reads the file.
  if (redisCaFile !== undefined && redisUrl.startsWith('redis:') && areRight(schema.redisUrl))
    problems.push(messages.caWithoutTls(schema.redisUrl));
  if (areRight(token, key, secret, api)) {
    problems.push(...credentialProblems(runcloud));
    warnings.push(...credentialWarnings(runcloud));
  }
  // A receiver cannot tell an unsigned webhook from a forged one.
  if (callbacks.urls.length > 0 && callbacks.secrets.length === 0 && areRight(schema.callbacks.secrets))
    problems.push(messages.needs(schema.callbacks.urls, schema.callbacks.secrets));
  // Old hashes still work. Only the password makes a better one.
  const outdated = server.boardUsers.filter(({ hash }) => isOutdated(hash)).map(({ name }) => name);
  if (outdated.length > 0) warnings.push(messages.outdatedHashes(outdated));
  return { problems, warnings };
}

/**
 * Throws ConfigError if other machines could reach `server` without a token. Only `server` calls it: a worker
 * with the same configuration does not listen there.
 */
export function assertServable({ server: { host, tokens } }: Pick<Config, 'server'>): void {
  if (isLoopbackHost(host) || tokens.length > 0) return;
  throw new ConfigError([messages.openServer(host)]);
}

/** The credentials of a program that calls RunCloud. Throws ConfigError without a token or key pair. */
export function requireCredentials({ runcloud: { credentials } }: Config): RunCloudCredentials {
  if (credentials !== undefined) return credentials;
  throw new ConfigError([messages.noCredentials(schema.runcloud.token)]);
}
