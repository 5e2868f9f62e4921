// The worker's log lines, as JSON from its standard output.
import { z } from 'zod';

const call = z.object({
  method: z.string(),
  path: z.string(),
  status: z.number().optional(),
  durationMs: z.number(),
});

const logLine = z.object({
  level: z.string(),
  time: z.string().transform((text) => Date.parse(text)),
  msg: z.string(),
  event: z.string().optional(),
  job: z.string().optional(),
  jobId: z.string().optional(),
  domain: z.string().optional(),
  attempt: z.number().optional(),
  outcome: z.string().optional(),
  state: z.string().optional(),
  nextRunAt: z
    .string()
    .transform((text) => Date.parse(text))
    .optional(),
  call: call.optional(),
});

export type LogLine = z.output<typeof logLine>;
export type LoggedCall = z.output<typeof call>;

/** Undefined for a line that is not one of the worker's logger, such as a warning of Node's. */
export function parseLogLine(text: string): LogLine | undefined {
  try {
    return logLine.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
