// Removes secrets from text, and has the names of secret fields. Pure. Imports nothing of ours. Two
// functions: `createScrub` for our own sentences, `createRedact` for text that came from outside.

export const hidden = '***';

export type Scrub = (text: string) => string;
export type Redact = (text: string) => string;

/** Field names in any spelling (`apiKey`, `api_key`, `API-KEY`). Their values are never written. */
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
 * A shorter text is often part of ordinary words, numbers and dates. It is hidden only as a word of
 * its own. Hiding every "5" would make the lines useless, and reveal that the secret is "5".
 */
const SAFE_LENGTH = 6;
/** The same for text from outside. There a hidden word costs less than a leaked credential. */
const SAFE_LENGTH_OUTSIDE = 4;

/**
 * How base64 spells a secret that begins 0, 1 or 2 bytes after a multiple of three: only its own
 * characters.
 */
function insideBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const spellings = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return encoded.slice(Math.ceil((offset * 4) / 3), Math.floor(((offset + bytes.length) * 4) / 3));
  });
  return spellings.filter((spelling) => spelling.length >= SAFE_LENGTH);
}

const lowerHex = (encoded: string): string => encoded.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase());

/** The ways in which a secret is spelled in URLs, forms, JSON and headers. */
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

function toPattern(spelling: string, safeLength: number): string {
  const literal = spelling.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return spelling.length < safeLength ? `${aloneBefore}${literal}${aloneAfter}` : literal;
}

/** Hides the given secrets in every spelling. */
function createHide(secrets: readonly string[], safeLength: number): Scrub {
  const all = new Set(secrets.filter((secret) => secret !== '').flatMap(spellings));
  // The longest first: a secret may be part of another, whose rest would stay.
  const sorted = [...all].toSorted((a, b) => b.length - a.length);
  const patterns = sorted.map((spelling) => toPattern(spelling, safeLength));
  const pattern = patterns.length > 0 ? new RegExp(patterns.join('|'), 'g') : undefined;
  return (text) => (pattern ? text.replace(pattern, hidden) : text);
}

type Patterns = readonly (readonly [RegExp, string])[];

const replaceAll = (text: string, patterns: Patterns): string =>
  patterns.reduce((left, [pattern, by]) => left.replace(pattern, by), text);

/**
 * Secrets that nobody configured: passwords in URLs, and private keys, which RunCloud's v2 sends
 * along.
 */
const unknownSecrets: Patterns = [
  [/(\/\/[^\s:/?#@]*:)[^\s/?#@]+@/g, `$1${hidden}@`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
];

/**
 * For our own sentences and log lines. Writes `***` for each of `secrets`: plain, percent-encoded,
 * JSON-escaped or in base64. Hides passwords in URLs and private keys too. Hides a secret of fewer
 * than 6 characters only as a word.
 */
export function createScrub(secrets: readonly string[]): Scrub {
  const hide = createHide(secrets, SAFE_LENGTH);
  return (text) => replaceAll(hide(text), unknownSecrets);
}

/**
 * `text` without `secrets`; for the sentences of jobs and their logs. See `createScrub` for short
 * secrets.
 */
export const scrub = (text: string, secrets: readonly string[]): string => createScrub(secrets)(text);

// RunCloud's replies carry private keys (v2 GET /ssl) and webhook keys (pullKey1, pullKey2 of a web
// application): [C] v2 SDK src/Resources/SSL.php, [D] runcloud.io/docs/api/v3/api-8617094.
const SECRET_FIELD = `(?:${[...secretFields, 'certificate']
  .map((field) => field.replace(/[A-Z]/g, (capital) => `[_-]?${capital}`))
  .join('|')})\\d?`;

const outsideSecrets: Patterns = [
  [/-----BEGIN [\s\S]*?(?:-----END [A-Z0-9 ]*-----|$)/g, hidden],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${hidden}`],
  [new RegExp(`(\\\\?"${SECRET_FIELD}\\\\?"\\s*:\\s*\\\\?")(?:[^"\\\\]|\\\\[^"])*`, 'gi'), `$1${hidden}`],
  [new RegExp(`\\b(${SECRET_FIELD}=)[^\\s&"]+`, 'gi'), `$1${hidden}`],
  // Longer than any DNS label (63). A domain name is never taken for a key.
  [/[A-Za-z0-9+/_=-]{64,}/g, hidden],
];

/** The rest of a longer text is dropped. */
const MAX_READ_CHARS = 10_000;

/** Ends between two words: half a secret is not recognised. */
const bounded = (text: string): string =>
  text.length <= MAX_READ_CHARS ? text : text.slice(0, text.lastIndexOf(' ', MAX_READ_CHARS) + 1);

/**
 * For text from outside that ends up in a message or a cause; none may skip it. Hides all that
 * `createScrub` hides, and whatever may be a secret. Hides a secret of 4 characters inside
 * words too. Keeps the first 10,000 characters.
 */
export function createRedact(secrets: readonly string[]): Redact {
  const hide = createHide(secrets, SAFE_LENGTH_OUTSIDE);
  return (text) => replaceAll(hide(bounded(text)), [...unknownSecrets, ...outsideSecrets]);
}

const MAX_LINE_CHARS = 300;

/** One line of at most 300 characters. For redacted text only: half a secret is not recognised. */
export function toLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS - 1)}…` : line;
}
