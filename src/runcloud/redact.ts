// Takes secrets out of text that came from outside, and makes it short enough for a log line.
// Pure. Everything foreign that ends up in a message or a cause goes through here; nothing else may skip it.

export type Redact = (text: string) => string;

const HIDDEN = '***';
const MAX_CHARS = 300;
/** More of a text is not looked at. */
const MAX_LOOKED_AT = 10_000;
/** Shorter "secrets" would blank out ordinary words. */
const MIN_SECRET_CHARS = 4;

// RunCloud's replies carry private keys (v2 GET /ssl) and webhook keys (pullKey1, pullKey2 of a web
// application): [C] v2 SDK src/Resources/SSL.php, [D] runcloud.io/docs/api/v3/api-8617094.
const SECRET_FIELDS =
  'private_?key|certificate|pull_?key\\d?|secret(?:_?key)?|password|(?:api_?)?token|api_?(?:key|secret)';

const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [\s\S]*?(?:-----END [A-Z0-9 ]*-----|$)/g, HIDDEN],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [
    new RegExp(`(\\\\?"(?:${SECRET_FIELDS})\\\\?"\\s*:\\s*\\\\?")(?:[^"\\\\]|\\\\[^"])*`, 'gi'),
    `$1${HIDDEN}`,
  ],
  [new RegExp(`\\b((?:${SECRET_FIELDS})=)[^\\s&"]+`, 'gi'), `$1${HIDDEN}`],
  // Longer than any DNS label (63), so a domain name never looks like a key.
  [/[A-Za-z0-9+/_=-]{64,}/g, HIDDEN],
];

/** The ways a secret may be spelled in a reply that echoes it. */
function spellings(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    secret.replaceAll('/', '\\/'),
  ];
}

/** Ends between two words: half a secret is not recognised. */
const bounded = (text: string): string =>
  text.length <= MAX_LOOKED_AT ? text : text.slice(0, text.lastIndexOf(' ', MAX_LOOKED_AT) + 1);

/** Builds the function that hides these secrets, and anything that looks like one. Of a long text it leaves the first 10,000 characters. */
export function createRedact(secrets: readonly string[]): Redact {
  const literals = secrets.filter((secret) => secret.length >= MIN_SECRET_CHARS).flatMap(spellings);
  literals.sort((a, b) => b.length - a.length);
  return (text) => {
    const plain = literals.reduce((left, secret) => left.replaceAll(secret, HIDDEN), bounded(text));
    return patterns.reduce((left, [pattern, by]) => left.replace(pattern, by), plain);
  };
}

/** One line of at most 300 characters. To be used after redacting, since half a secret is not recognised. */
export function toLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS - 1)}…` : line;
}
