// The kinds of values that variables hold: what each accepts, in words and as a zod schema.
// A schema's message continues the variable's name ("must be ...") and never repeats the value.
import * as z from 'zod';

/** `accepts` completes "must be ..."; `schema` turns the cleaned text into the value. */
export interface Kind<T> {
  readonly accepts: string;
  readonly schema: z.ZodType<T, string>;
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ['json', 'pretty'] as const;
export type LogFormat = (typeof logFormats)[number];

export const switches = ['on', 'off'] as const;

export const topLevelDomains = ['public', 'test', 'any'] as const;

export const dnsGates = ['off', 'attach', 'certificate', 'auto'] as const;
export type DnsGate = (typeof dnsGates)[number];

export const sslInstalls = ['off', 'letsencrypt'] as const;
export const sslEnvironments = ['live', 'staging'] as const;
export const sslChallenges = ['http-01', 'dns-01'] as const;
export const sslReissues = ['off', 'reinstall'] as const;
export const sslPoisons = ['hold', 'detach', 'proceed'] as const;

/** Where RunCloud's API is, and which version the path names. `url` has no trailing slash. */
export interface ApiBase {
  readonly url: string;
  readonly version: 2 | 3;
}

// Copied from PHP, `1903;` reached a host's API and failed there without a word
// (github.com/Ultimate-Multisite/ultimate-multisite/issues/140).
const stray = 'ends with a stray ";": remove it';
const unfinished = 'still holds a placeholder: put the real value there';

const placeholder =
  /^(?:(?:your|my)[-_ ].*|.*[-_ ]here|change[-_ ]?(?:me|this)|replace[-_ ]?(?:me|this|with.*)|<.*>|x{3,}|\.{3,}|…|\*{3,}|todo|placeholder)$/i;

const text = () =>
  z
    .string()
    .refine((value) => !value.endsWith(';'), { error: stray, abort: true })
    .refine((value) => !placeholder.test(value), { error: unfinished, abort: true });

/** Passes where `toValue` finds one; `complain` may name a more exact reason than `accepts`. */
export function kind<T>(
  accepts: string,
  toValue: (raw: string) => T | undefined,
  complain?: (raw: string) => string,
) {
  const schema = text().transform((raw, context): T => {
    const value = toValue(raw);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: complain?.(raw) ?? `must be ${accepts}` });
    return z.NEVER;
  });
  return { accepts, schema } satisfies Kind<T>;
}

const integerWithin = (raw: string, min: number, max: number): number | undefined => {
  const value = /^\d+$/.test(raw) ? Number(raw) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
};

export const wholeNumber = (min: number, max: number): Kind<number> =>
  kind(`a whole number from ${min} to ${max}`, (raw) => integerWithin(raw, min, max));

const dayMs = 86_400_000;

/** At most a day: anything longer is a unit mixed up. */
export const milliseconds = (min = 1, max = dayMs): Kind<number> =>
  kind(`milliseconds, a whole number from ${min} to ${max}`, (raw) => integerWithin(raw, min, max));

const units = { d: dayMs, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds of `7d`, `6h`, `30m`, `45s`, `500ms`; NaN for anything else. */
function toMs(raw: string): number {
  const [, count, unit] = /^(\d+)(d|h|m|s|ms)$/.exec(raw.toLowerCase()) ?? [];
  return Number(count) * (units[unit as keyof typeof units] ?? Number.NaN);
}

/** The shortest text that `duration` reads back as the same. */
export function fromMs(ms: number): string {
  const [unit, size] = Object.entries(units).find(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}

/** A time with its unit, in milliseconds. A bare number is refused: nobody could tell which unit was meant. */
export const duration = (min: string, max: string): Kind<number> =>
  kind(`a whole number with its unit (d, h, m, s or ms), from ${min} to ${max}`, (raw) => {
    const ms = toMs(raw);
    return ms >= toMs(min) && ms <= toMs(max) ? ms : undefined;
  });

export const numericId: Kind<number> = kind('a RunCloud id, a whole number above 0', (raw) =>
  integerWithin(raw, 1, Number.MAX_SAFE_INTEGER),
);

export const oneOf = <const T extends string>(values: readonly T[]): Kind<T> =>
  kind(`one of ${values.join(', ')}`, (raw) => values.find((value) => value === raw.toLowerCase()));

export const filePath: Kind<string> = kind('the path of a file', (raw) => raw);

/** Goes into an HTTP header: visible ASCII only, so that nothing can end the header early. */
const credential = (accepts: string, pattern: RegExp, example: string): Kind<string> => ({
  accepts,
  schema: text()
    .refine((raw) => raw !== example, {
      error: "is the documentation's example: put the real value there",
      abort: true,
    })
    .refine((raw) => pattern.test(raw), { error: `must be ${accepts}` }),
});

const oneWord = 'one word of visible ASCII characters, without quotes';

export const token = (example: string): Kind<string> => credential(oneWord, /^[!#-&(-~]+$/, example);

/** No colon: it ends the user name in HTTP Basic (RFC 7617, section 2). */
export const basicUser = (example: string): Kind<string> =>
  credential(`${oneWord} or colon`, /^[!#-&(-9;-~]+$/, example);

/** Braces keep all keys of the queue in one slot of a Redis Cluster: `{bull}`. */
export const queuePrefix: Kind<string> = kind(
  'letters, digits and _ - . : with or without {} around them',
  (raw) => (/^(?:[\w.:-]+|\{[\w.:-]+\})$/.test(raw) ? raw : undefined),
);
