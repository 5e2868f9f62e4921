// The journal of `doctor --try-domain`: what it is about to do, on disk before it is done, so that a run that was killed can be taken back.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { readTextFile } from '../untrusted/text-file.ts';

const entrySchema = z.object({
  journal: z.literal('runcloud-domains try-domain'),
  name: z.string().min(1),
  serverId: z.int().positive(),
  appId: z.int().positive(),
  /** What was about to be done, or was being done, when this was written. */
  step: z.string(),
  /** RunCloud's id of what we attached, once a reply or the list has told it. */
  domainId: z.int().positive().optional(),
  /** RunCloud refused to attach it: what bears the name is not ours. */
  isRefused: z.boolean().optional(),
  /** RunCloud took our removal: a list that still shows it is behind. */
  isRemoved: z.boolean().optional(),
  /** An answer to one of our writes was lost, or did not tell: it may still take effect. */
  isUnsure: z.boolean().optional(),
  /** A certificate of the staging environment was asked for. */
  hasCertificate: z.boolean().optional(),
  /** When we paused the web application, which we have to let go on; by Redis' clock. */
  pausedAt: z.int().positive().optional(),
});

export type JournalEntry = z.infer<typeof entrySchema>;
/** As it is kept while a trial is at work. */
export type Left = Omit<JournalEntry, 'journal'>;

export interface Journal {
  readonly file: string;
  /** Undefined where there is none. Throws where the file is none of ours. */
  read(): JournalEntry | undefined;
  /** On disk when it returns. */
  write(entry: Left): void;
  remove(): void;
}

export function createJournal(file: string): Journal {
  return {
    file,
    read() {
      if (!existsSync(file)) return undefined;
      const parsed = entrySchema.safeParse(toJson(readTextFile(file)));
      if (parsed.success) return parsed.data;
      throw new Error(`${file} is no journal of this command: look at it, and move it away`);
    },
    write(entry) {
      const text = `${JSON.stringify({ journal: 'runcloud-domains try-domain', ...entry }, null, 2)}\n`;
      const handle = openSync(`${file}.new`, 'w', 0o600);
      try {
        writeSync(handle, text);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(`${file}.new`, file);
    },
    remove: () => rmSync(file, { force: true }),
  };
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
