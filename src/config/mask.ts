// What messages may repeat of a value, and the texts that must appear nowhere.
import type { Config } from './config.ts';
import { type Entry, pick, type Schema } from './entry.ts';
import { schema } from './schema.ts';

const mask = '***';

/** Paths that only say where a service usually is: none, a database of Redis, a version of RunCloud's API. */
const harmless = /^(?:\/\d{0,3}|(?:\/api)?\/v\d)?\/?$/;
const isPlace = (text: string): boolean => /^(?:\[[\da-f:.]+\]|[a-z\d.{}-]+)(?::\d{1,5})?$/i.test(text);

/** An address without what may be a secret. It may be no valid URL: only a sure scheme, host and port stay. */
function maskAddress(text: string): string {
  const scheme = /^[a-z][a-z\d+.-]{0,20}:\/\//i.exec(text)?.[0] ?? '';
  const [, authority = '', rest = ''] = /^([^/?#\\\s,]*)(.*)$/s.exec(text.slice(scheme.length)) ?? [];
  const place = authority.slice(authority.lastIndexOf('@') + 1);
  // An "@" later on may end a password with "/", "?" or "#" in it: then nothing before it is a host.
  if (!isPlace(place) || rest.includes('@') || (scheme === '' && place === authority))
    return `${scheme}${mask}`;
  const user = place === authority ? '' : `${mask}@`;
  return `${scheme}${user}${place}${harmless.test(rest) ? rest : rest.replace(/^(\/?).*/s, `$1${mask}`)}`;
}

/** Variables that take an address, and every text that resembles one: it may have the wrong name. */
const isAddress = ({ example }: Entry, text: string): boolean =>
  example.includes('://') || /:\/\/|@|\?/.test(text);

const MAX_QUOTE = 80;

/** A value as a message repeats it: masked, and cut to 80 characters. */
export function quoted(entry: Entry, value: string): string {
  const text = entry.secret ? mask : isAddress(entry, value) ? maskAddress(value) : value;
  return `"${text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE - 3)}...` : text}"`;
}

/** The texts of a secret entry's value. A hash is one: its owner may try passwords against it forever. */
const textsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return typeof value === 'object' && value !== null && 'hash' in value ? textsOf(value.hash) : [];
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** A token in the query of an address is as good as a password. A shorter value is probably a word. */
const MIN_QUERY_TOKEN = 8;

function urlSecrets(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { password, searchParams } = new URL(text);
  const tokens = [...searchParams].filter(
    ([name, { length }]) => name === 'password' || length >= MIN_QUERY_TOKEN,
  );
  return [password, ...tokens.map(([, value]) => value)].flatMap((secret) => [secret, decode(secret)]);
}

/** The other forms in which a secret travels. */
const variantsOf = ({ runcloud: { key, secret } }: Config, texts: readonly string[]): string[] => [
  ...(key !== undefined && secret !== undefined ? [Buffer.from(`${key}:${secret}`).toString('base64')] : []),
  ...texts.filter((text) => text.startsWith('whsec_')).map((text) => text.slice('whsec_'.length)),
];

/** Every text that must appear nowhere. For the logger. */
export function secretsOf(config: Config, of: Schema = schema): string[] {
  const secrets = pick(of, config, ({ secret }) => secret).flatMap(textsOf);
  const open = pick(of, config, ({ secret }) => !secret).flatMap(textsOf);
  const all = [...secrets, ...variantsOf(config, secrets), ...open.flatMap(urlSecrets)];
  return [...new Set(all.filter((text) => text !== ''))];
}
