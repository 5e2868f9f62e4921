// Fields that many records of the API and of `--json` have.
import { z } from 'zod';

/** ISO 8601; null: not known. */
export const time = z.iso.datetime().nullable();

export const text = z.string().nullable();

export const reasonCode = text.meta({
  description:
    'The reason as a code, for programs: a reason code (docs/reference/reason-codes.md) or an error code',
});

/** Null also for a time that no date can show: a server may put anything into its certificate. */
export const iso = (atMs: number | undefined): string | null =>
  atMs === undefined || Number.isNaN(new Date(atMs).getTime()) ? null : new Date(atMs).toISOString();
