// pino's log lines without secrets. Every line goes through `createCleaner`, then through pretty
// printing. Reads no configuration.
import cluster from 'node:cluster';
import {
  type DestinationStream,
  destination as fileDestination,
  type Logger as PinoLogger,
  pino,
} from 'pino';
import { prettyFactory } from 'pino-pretty';
import { createScrub, hidden, isSecretField, secretFields } from '../untrusted/redact.ts';
import { toVisible } from '../untrusted/visible-text.ts';
import { serializeErrors, serializeFields } from './errors.ts';

export { createScrub, type Scrub, scrub } from '../untrusted/redact.ts';

export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Texts that must never be written: see `secretsOf` in config/. */
  readonly secrets: readonly string[] | (() => readonly string[]);
  /**
   * Receives whole lines with their line break. Default: stdout, synchronously, so no line is lost.
   */
  readonly destination?: DestinationStream;
}

type ToText = (line: string) => string;

/** `token: null` and `token: true` only say whether there is one. */
const hide = (value: unknown): unknown => (value === null || typeof value === 'boolean' ? value : hidden);

/** Cleans texts and names of fields, and hides the values of secret fields; at any depth. */
function createValueCleaner(secrets: readonly string[], scrubText: ToText): (value: unknown) => unknown {
  const known = new Set(secrets);
  const cleanField = ([name, value]: [string, unknown]): [string, unknown] => {
    return [scrubText(name), isSecretField(name) ? hide(value) : cleanValue(value)];
  };
  const cleanValue = (value: unknown): unknown => {
    if (typeof value === 'string') return scrubText(value);
    if (typeof value === 'number') return known.has(String(value)) ? hidden : value;
    if (Array.isArray(value)) return value.map(cleanValue);
    return typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(cleanField))
      : value;
  };
  return cleanValue;
}

/**
 * Works on the parsed line: a replacement in its text could cut a number or an escape sequence in
 * two.
 */
function createCleaner(secrets: readonly string[], isPretty: boolean): ToText {
  const scrubSecrets = createScrub(secrets);
  // JSON escapes invisible characters itself: its reader gets the original text.
  const scrubText: ToText = isPretty ? (text) => toVisible(scrubSecrets(text)) : scrubSecrets;
  const cleanValue = createValueCleaner(secrets, scrubText);
  return (line) => {
    try {
      return `${toVisible(JSON.stringify(cleanValue(JSON.parse(line))))}\n`;
    } catch {
      return toVisible(scrubText(line));
    }
  };
}

/** Uses the current secrets at each line: credentials may be corrected while the program runs. */
function createCurrentCleaner(secrets: () => readonly string[], isPretty: boolean): ToText {
  let known = secrets();
  let clean = createCleaner(known, isPretty);
  return (line) => {
    if (secrets() !== known) {
      known = secrets();
      clean = createCleaner(known, isPretty);
    }
    return clean(line);
  };
}

function createPretty(): ToText {
  const { stdout } = process;
  const colorize = stdout.isTTY === true && stdout.hasColors();
  const toPretty = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname' });
  return (line) => toPretty(line);
}

/** So many bytes are kept until there is space again. */
const MAX_UNWRITTEN = 16 * 1024 * 1024;

/** A line that cannot be written (a full disk) is lost. The work continues. */
function createStdout(): DestinationStream {
  // In a cluster worker file descriptor 1 is the primary's. PM2 has a stream of its own for each
  // process.
  if (cluster.isWorker) return { write: (line) => void process.stdout.write(line) };
  const target = fileDestination({ dest: 1, sync: true, maxLength: MAX_UNWRITTEN });
  target.on('error', () => undefined);
  return target;
}

/** pino's own redaction reaches three levels; the cleaner after it reaches all. */
const redactPaths = secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/**
 * A pino logger. Each line has level (as a word), time (ISO 8601, UTC), pid, hostname, msg and the
 * given fields. Errors in them become type, message, code, stack and cause. Secrets become `***`.
 */
export function createLogger({ level, format, secrets, destination }: LoggerOptions): Logger {
  const target = destination ?? createStdout();
  const clean = createCurrentCleaner(
    typeof secrets === 'function' ? secrets : () => secrets,
    format === 'pretty',
  );
  const pretty = format === 'pretty' ? createPretty() : undefined;
  const write = (line: string): void => {
    const cleaned = clean(line);
    target.write(pretty ? pretty(cleaned) : cleaned);
  };
  return pino(
    {
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: serializeFields },
      serializers: { err: serializeErrors },
      redact: { paths: redactPaths, censor: hide },
      depthLimit: 12,
      edgeLimit: 200,
    },
    { write },
  );
}
