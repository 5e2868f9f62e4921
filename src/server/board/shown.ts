// What the board shows of a job: known fields, of limited length, without secrets. Pure. Bull Board sends reasons, stacks, options
// and logs as they stand in Redis, and a foreign client may have put anything there.
import { payloadSchemas } from '../../jobs/catalog.ts';
import type { Scrub } from '../../logger/logger.ts';
import { looksOurs } from '../../queue/job-payload.ts';
import { toVisible } from '../../untrusted/visible-text.ts';

const MAX_TEXT = 2000;
const MAX_VALUE = 300;
const MAX_LOG_LINES = 200;
const MAX_STACKS = 10;

/** The fields that the payloads of our jobs have, and who asked (`readJob`). */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...Object.values(payloadSchemas).flatMap(({ shape }) => Object.keys(shape)),
  'by',
]);

export interface Shown {
  /** A job's payload: the known fields alone, and how many there are besides. */
  data(value: unknown, known?: ReadonlySet<string>): unknown;
  text(value: unknown, max?: number): string;
  /** A job as Bull Board is about to send it; its data has been through `data` already. */
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

/** Who asked is shown of jobs with an id of ours only: anybody may have written anything into a bare client's. */
const believed = (id: unknown, { by, ...data }: Fields): Fields =>
  by !== undefined && looksOurs({ id, data }) ? { ...data, by } : data;

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
      if (!isFields(value)) return { note: 'the payload is no object, and is not shown' };
      const entries = Object.entries(value);
      const shown = entries.filter(([name]) => known.has(name)).map(([name, given]) => [name, plain(given)]);
      const rest = entries.length - shown.length;
      return {
        ...Object.fromEntries(shown),
        ...(rest > 0 && { note: `fields that no job knows, not shown: ${rest}` }),
      };
    },
    job(value) {
      if (!isFields(value)) return value;
      const stacks = Array.isArray(value.stacktrace) ? value.stacktrace.slice(0, MAX_STACKS) : [];
      return {
        ...pick(value, JOB_FIELDS),
        ...(isFields(value.data) && { data: believed(value.id, value.data) }),
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
