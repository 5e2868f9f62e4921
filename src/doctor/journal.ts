// The journal of `doctor --try-domain`: each step is on disk before it happens. The next run
// removes what a killed run left.
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { readTextFile } from '../untrusted/text-file.ts';
import { noJournal } from './messages.ts';

const entrySchema = z.object({
  journal: z.literal('runcloud-domains try-domain'),
  name: z.string().min(1),
  serverId: z.int().positive(),
  appId: z.int().positive(),
  /** The step that was about to start, or running. */
  step: z.string(),
  /** RunCloud's id of the attached domain, once a reply or the list has it. */
  domainId: z.int().positive().optional(),
  /** RunCloud rejected the attach: a domain of this name is not ours. */
  isRefused: z.boolean().optional(),
  /** RunCloud accepted our removal: a list that still has it is behind. */
  isRemoved: z.boolean().optional(),
  /** The result of one of our writes is unknown: it may still take effect. */
  isUnsure: z.boolean().optional(),
  /** A certificate of the staging environment was ordered. */
  hasCertificate: z.boolean().optional(),
  /** When the trial paused the web application, by Redis' clock. It must resume it. */
  pausedAt: z.int().positive().optional(),
});

export type JournalEntry = z.infer<typeof entrySchema>;
/** The state of a running trial. */
export type TrialState = Omit<JournalEntry, 'journal'>;

export interface Journal {
  readonly file: string;
  /** Undefined: there is none. Throws if the file is another one. */
  read(): JournalEntry | undefined;
  /** On disk when it returns. */
  write(entry: TrialState): void;
  remove(): void;
}

export function createJournal(file: string): Journal {
  return {
    file,
    read() {
      if (!existsSync(file)) return undefined;
      const parsed = entrySchema.safeParse(toJson(readTextFile(file)));
      if (parsed.success) return parsed.data;
      throw new Error(noJournal(file));
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
