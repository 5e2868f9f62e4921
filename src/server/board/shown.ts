// What the board shows of a job: known fields, of limited length, without secrets. Pure. Bull Board
// sends reasons, stacks, options and logs as they are in Redis, and an external producer may have
// written them.
import { payloadSchemas } from '../../jobs/catalog.ts';
import type { Scrub } from '../../logger/logger.ts';
import { isOurForm } from '../../queue/job-payload.ts';
import { toVisible } from '../../untrusted/visible-text.ts';
import { dataNotShown, fieldsNotShown } from './messages.ts';

const MAX_TEXT = 2000;
const MAX_VALUE = 300;
const MAX_LOG_LINES = 200;
const MAX_STACKS = 10;

/** The fields of our jobs' payloads, and the caller (`readJob`). */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...Object.values(payloadSchemas).flatMap(({ shape }) => Object.keys(shape)),
  'by',
]);

export interface Shown {
  /** A job's payload: the known fields, and the number of the others. */
  data(value: unknown, known?: ReadonlySet<string>): unknown;
  text(value: unknown, max?: number): string;
  /** A job that Bull Board is about to send. Its data has already been through `data`. */
  job(value: unknown): unknown;
  logs(value: unknown): string[];
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const JOB_FIELDS = [
  'id',
  'timestamp',
  'processedOn',
  'finishedOn',
  'attempts',
  'delay',
  'isFailed',
  'priority',
  'attemptsStarted',
  'stalledCounter',
  'data',
  'name',
  'returnValue',
] as const;
const OPTION_FIELDS = ['attempts', 'delay', 'priority', 'keepLogs'] as const;

const pick = (value: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.filter((name) => value[name] !== undefined).map((name) => [name, value[name]]));

const cut = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max)}…` : text);

/**
 * The caller (`by`) is shown only for jobs with an id of ours: an external producer may write
 * anything.
 */
const trusted = (id: unknown, { by, ...data }: Fields): Fields =>
  by !== undefined && isOurForm({ id, data }) ? { ...data, by } : data;

export function createShown(scrub: Scrub): Shown {
  const text: Shown['text'] = (value, max = MAX_TEXT) =>
    typeof value === 'string' || typeof value === 'number' ? cut(toVisible(scrub(String(value))), max) : '';
  const plain = (value: unknown): unknown =>
    value === null || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : text(value, MAX_VALUE);
  const options = (value: unknown): Fields => {
    if (!isFields(value)) return {};
    const numbers = pick(value, OPTION_FIELDS);
    return Object.fromEntries(Object.entries(numbers).filter(([, given]) => typeof given === 'number'));
  };
  return {
    text,
    data(value, known = KNOWN_FIELDS) {
      if (!isFields(value)) return { note: dataNotShown };
      const entries = Object.entries(value);
      const shown = entries.filter(([name]) => known.has(name)).map(([name, given]) => [name, plain(given)]);
      const rest = entries.length - shown.length;
      return {
        ...Object.fromEntries(shown),
        ...(rest > 0 && { note: fieldsNotShown(rest) }),
      };
    },
    job(value) {
      if (!isFields(value)) return value;
      const stacks = Array.isArray(value.stacktrace) ? value.stacktrace.slice(0, MAX_STACKS) : [];
      return {
        ...pick(value, JOB_FIELDS),
        ...(isFields(value.data) && { data: trusted(value.id, value.data) }),
        id: text(value.id, MAX_VALUE),
        progress: typeof value.progress === 'number' ? value.progress : 0,
        ...(typeof value.failedReason === 'string' && { failedReason: text(value.failedReason) }),
        stacktrace: stacks.map((stack) => text(stack)),
        opts: options(value.opts),
      };
    },
    logs: (value) => (Array.isArray(value) ? value.slice(-MAX_LOG_LINES).map((line) => text(line)) : []),
  };
}
