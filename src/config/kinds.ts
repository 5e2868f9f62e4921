// Kinds of values: what each accepts, in words, and how its text becomes a value.
// A complaint continues the variable's name ("must be ...") and never repeats the value.

/** The value of a text, or what is wrong with it. */
export type Parsed<T> = { readonly value: T } | { readonly complaint: string };

/** `accepts` completes "must be ...". `parse` takes cleaned text. */
export interface Kind<T> {
  readonly accepts: string;
  parse(text: string): Parsed<T>;
}

const placeholder =
  /^(?:(?:your|my)[-_ ].*|.*[-_ ]here|change[-_ ]?(?:me|this)|replace[-_ ]?(?:me|this|with.*)|<.*>|x{3,}|\.{3,}|…|\*{3,}|todo|placeholder)$/i;

function commonComplaint(text: string): string | undefined {
  // Copied from PHP, `1903;` reached a host's API and failed there without a word
  // (github.com/Ultimate-Multisite/ultimate-multisite/issues/140).
  if (text.endsWith(';')) return 'ends with a stray ";": remove it';
  return placeholder.test(text) ? 'is still a placeholder: set the real value' : undefined;
}

/** `toValue` returns undefined for a wrong text. `complain` may name a more exact reason than `accepts`. */
export const kind = <T>(
  accepts: string,
  toValue: (text: string) => T | undefined,
  complain: (text: string) => string | undefined = () => undefined,
): Kind<T> => ({
  accepts,
  parse(text) {
    const complaint = commonComplaint(text) ?? complain(text);
    const value = complaint === undefined ? toValue(text) : undefined;
    return value === undefined ? { complaint: complaint ?? `must be ${accepts}` } : { value };
  },
});

const asIs = (text: string): string => text;
const within = (value: number, min: number, max: number): number | undefined =>
  value >= min && value <= max ? value : undefined;
const toInteger = (text: string): number => (/^\d+$/.test(text) ? Number(text) : Number.NaN);

export const wholeNumber = (min: number, max: number): Kind<number> =>
  kind(`a whole number from ${min} to ${max}`, (text) => within(toInteger(text), min, max));

export const runcloudId: Kind<number> = kind('a RunCloud id, a whole number above 0', (text) =>
  within(toInteger(text), 1, Number.MAX_SAFE_INTEGER),
);

export const oneOf = <const T extends string>(values: readonly T[]): Kind<T> =>
  kind(`one of ${values.join(', ')}`, (text) => values.find((value) => value === text.toLowerCase()));

const switches = new Map([
  ['on', true],
  ['off', false],
]);

export const onOff: Kind<boolean> = kind('on or off', (text) => switches.get(text.toLowerCase()));

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds of `7d`, `6h`, `30m`, `45s`, `500ms` and `0`. NaN for any other text. */
function toMs(text: string): number {
  const [, count, unit] = /^(\d+)(d|h|m|s|ms)$/.exec(text.toLowerCase()) ?? [];
  return text === '0' ? 0 : Number(count) * (unitMs[unit as keyof typeof unitMs] ?? Number.NaN);
}

/** In milliseconds. A bare number is refused: its unit would be a guess. */
export const duration = (min: string, max: string): Kind<number> =>
  kind(
    `a duration (d, h, m, s or ms) from ${min} to ${max}`,
    (text) => within(toMs(text), toMs(min), toMs(max)),
    (text) =>
      toInteger(text) > 0 ? `needs a unit: write ${text}s for seconds, or ${text}m for minutes` : undefined,
  );

export const filePath: Kind<string> = kind('the path of a file', asIs);

/** The file is read at the start (certificates.ts), since its user reads it later. */
export const certificateFile: Kind<string> = kind('the path of a PEM file', asIs);

const pattern = (accepts: string, allowed: RegExp): Kind<string> =>
  kind(accepts, (text) => (allowed.test(text) ? text : undefined));

const oneWord = 'one word of visible ASCII characters, without quotes';

/** A token goes into an HTTP header: nothing in it may end the header early. */
export const token = pattern(oneWord, /^[!#-&(-~]+$/);

/** A colon ends the user name in HTTP Basic (RFC 7617, section 2). */
export const basicUser = pattern(`${oneWord} or colon`, /^[!#-&(-9;-~]+$/);

/** Braces keep all keys of the queue in one slot of a Redis Cluster: `{bull}`. */
export const queuePrefix = pattern(
  'letters, digits and _ - . : with or without {} around them',
  /^(?:[\w.:-]+|\{[\w.:-]+\})$/,
);

export interface List<T> {
  readonly accepts: string;
  /** Undefined for a wrong entry. */
  readonly toEntry: (item: string) => T | undefined;
  /** What is wrong with an entry. The text must not repeat it. */
  readonly whyNot?: (item: string) => string | undefined;
  /** Two entries with the same key are an error, named so ("a name"). Default: a repeated entry counts once. */
  readonly unique?: { readonly keyOf: (entry: T) => string; readonly what: string };
  /** Default: commas. */
  readonly separator?: RegExp;
}

function listComplaint<T>({ accepts, toEntry, whyNot, unique }: List<T>, items: readonly string[]) {
  const entries = items.map(toEntry);
  const wrong = entries.indexOf(undefined);
  if (entries.length === 0 || wrong >= 0) {
    const why = whyNot?.(items[wrong] ?? '') ?? (entries.length > 1 ? 'is wrong' : undefined);
    return `must be ${accepts}${wrong >= 0 && why ? ` (entry ${wrong + 1} ${why})` : ''}`;
  }
  const keys = unique ? entries.map((entry) => unique.keyOf(entry as T)) : [];
  const repeated = keys.findIndex((key, i) => keys.indexOf(key) < i);
  return repeated < 0 ? undefined : `has ${unique?.what} twice (entry ${repeated + 1})`;
}

/** Complaints count the entries, because they never repeat a value. */
export function listOf<T>(list: List<T>): Kind<readonly T[]> {
  const split = (text: string): string[] => {
    const items = text.split(list.separator ?? ',').map((item) => item.trim());
    const filled = items.filter((item) => item !== '');
    return list.unique ? filled : [...new Set(filled)];
  };
  return kind<readonly T[]>(
    list.accepts,
    (text) => split(text).flatMap((item) => list.toEntry(item) ?? []),
    (text) => listComplaint(list, split(text)),
  );
}
