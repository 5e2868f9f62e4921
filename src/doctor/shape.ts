// The shape of a reply, for a report to be sent in: keys and types, and no value. A key may be a
// value itself (a list by name), so only names of fields are shown. Pure.

/**
 * Key paths and their types: `{"data[].name": "text"}`. Several types of one path are joined by
 * `|`.
 */
export type Shape = Readonly<Record<string, string>>;

/** The fields that RunCloud's documents, SDKs and clients name (docs/reference/runcloud-api.md). */
const FIELDS = new Set(
  `id name type www redirection wildcard dns_integration status created_at updated_at domain webapp_id server_id data meta pagination total
  count per_page perPage current_page currentPage total_pages totalPages last_page lastPage from to path links next previous prev first last
  message errors error ssl method validUntil renewalDate enableHttp enableHsts enableHstsPreload enableHstsSubdomains authorizationMethod
  staging environment api_id apiId externalApi ssl_protocol_id sslProtocolId privateKey certificate provider advancedSSL autoSSL kind content
  hostname stack stackMode ipAddress country_iso_code os osVersion connected online agentVersion phpCLIVersion softwareUpdate securityUpdate
  transferStatus tags server_user_id rootPath publicPath phpVersion defaultApp alias pullKey1 pullKey2 primaryDomain label value protocols`.split(
    /\s+/,
  ),
);
/** The pattern of a field that no document names yet. */
const FIELD_LIKE = /^[a-z][A-Za-z_]{1,30}\d?$/;
const MAX_DEPTH = 8;
const MAX_ROWS = 100;

type Row = Record<string, unknown>;
export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function toShape(body: unknown): Shape {
  const words = wordsIn(body, new Set());
  const found = new Map<string, Set<string>>();
  collect(body, '', 0, (path, type) => found.set(path, (found.get(path) ?? new Set()).add(type)), words);
  return Object.fromEntries(
    [...found].map(([path, types]) => [path || '.', [...types].toSorted().join('|')]),
  );
}

function collect(
  value: unknown,
  path: string,
  depth: number,
  note: (path: string, type: string) => void,
  words: ReadonlySet<string>,
): void {
  note(path, toType(value));
  if (depth >= MAX_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value.slice(0, MAX_ROWS)) collect(item, `${path}[]`, depth + 1, note, words);
    return;
  }
  if (!isRow(value)) return;
  const isRecord = Object.keys(value).some((key) => FIELDS.has(key));
  for (const [key, item] of Object.entries(value)) {
    const isShown = FIELDS.has(key) || (isRecord && FIELD_LIKE.test(key) && !words.has(key.toLowerCase()));
    const step = isShown ? key : '{key}';
    collect(item, path === '' ? step : `${path}.${step}`, depth + 1, note, words);
  }
}

function toType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'empty list' : 'list';
  if (isRow(value)) return Object.keys(value).length === 0 ? 'empty object' : 'object';
  return typeof value === 'string' ? toTextType(value) : typeof value;
}

function toTextType(text: string): string {
  if (text === '') return 'empty text';
  if (/^\d+$/.test(text)) return 'digits';
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(text)) return 'date (sql)';
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? 'date (iso)' : 'text';
}

/** Every word of every text in it: a key that is one of them may be a name. */
function wordsIn(value: unknown, words: Set<string>, depth = 0): ReadonlySet<string> {
  if (typeof value === 'string') for (const word of value.toLowerCase().split(/[^a-z0-9_]+/)) words.add(word);
  if (typeof value !== 'object' || value === null || depth > 2 * MAX_DEPTH) return words;
  for (const item of Object.values(value)) wordsIn(item, words, depth + 1);
  return words;
}
