// Takes secrets out of text, and knows which fields hold one. Pure.

export const hidden = '***';

export type Scrub = (text: string) => string;

/** Field names, in any spelling (`apiKey`, `api_key`, `API-KEY`), whose value is never written whatever it is. */
export const secretFields = [
  'authorization',
  'proxyAuthorization',
  'cookie',
  'setCookie',
  'token',
  'apiToken',
  'accessToken',
  'apiKey',
  'xApiKey',
  'apiSecret',
  'secret',
  'secretKey',
  'password',
  'passwd',
  'passphrase',
  'credentials',
  'privateKey',
  'certificateKey',
  'pullKey',
  'pullKey1',
  'pullKey2',
] as const;

const plainName = (field: string): string => field.replace(/[^a-z\d]/gi, '').toLowerCase();
const plainSecretFields: ReadonlySet<string> = new Set(secretFields.map(plainName));

export const isSecretField = (field: string): boolean => plainSecretFields.has(plainName(field));

/**
 * Below this length a text is likely to be part of ordinary words, numbers and dates. Such secrets are only hidden
 * where they stand alone: to blank out every "5" would make the lines useless, and tell that the secret is "5".
 */
const safeLength = 6;

/** How base64 spells a secret that begins 0, 1 or 2 bytes after a multiple of three: the characters it alone decides. */
function insideBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const spellings = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return encoded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3));
  });
  return spellings.filter((spelling) => spelling.length >= safeLength);
}

const lowerHex = (encoded: string): string => encoded.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase());

/** The ways in which a secret is spelled on its way through URLs, forms, JSON and headers. */
function spellings(secret: string): string[] {
  const inUrl = encodeURIComponent(secret.toWellFormed());
  const inForm = new URLSearchParams({ s: secret }).toString().slice(2);
  const inJson = JSON.stringify(secret).slice(1, -1);
  const escaped = [inUrl, lowerHex(inUrl), inForm, lowerHex(inForm), inJson, secret.replaceAll('/', '\\/')];
  const whole = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  const base64 = [whole, ...insideBase64(secret)];
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [secret, ...escaped, ...base64, ...base64url];
}

const aloneBefore = '(?<![^\\s"\'`:@=/?&,;()[\\]{}<>|])';
const aloneAfter = '(?![^\\s"\'`:@=/?&,;.()[\\]{}<>|])';

function toPattern(spelling: string): string {
  const literal = spelling.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return spelling.length < safeLength ? `${aloneBefore}${literal}${aloneAfter}` : literal;
}

/** Secrets that nobody configured: passwords in URLs, and private keys, which RunCloud's v2 sends along. */
const scrubUnknown: Scrub = (text) =>
  text
    .replace(/(\/\/[^\s:/?#@]*:)[^\s/?#@]+@/g, `$1${hidden}@`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden);

/**
 * Builds the function that writes `***` for each of `secrets`, plain, percent-encoded, JSON-escaped or in base64, and
 * for passwords in URLs and private keys. Secrets of fewer than 6 characters are hidden as words of their own only.
 */
export function createScrub(secrets: readonly string[]): Scrub {
  const all = new Set(secrets.filter((secret) => secret !== '').flatMap(spellings));
  // The longest first: a secret that is part of another must not leave the rest of the other behind.
  const patterns = [...all].toSorted((a, b) => b.length - a.length).map(toPattern);
  const pattern = patterns.length > 0 ? new RegExp(patterns.join('|'), 'g') : undefined;
  return (text) => scrubUnknown(pattern ? text.replace(pattern, hidden) : text);
}

/** `text` without `secrets`; for the sentences of jobs and their logs. See `createScrub` for short secrets. */
export const scrub = (text: string, secrets: readonly string[]): string => createScrub(secrets)(text);
