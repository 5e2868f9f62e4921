// What RunCloud's log says of a failed certificate, for one domain. A line that names somebody else's host is not shown to it. Pure.

import type { LogText } from '../domains/domain.ts';
import { findNamed, hostsIn } from '../domains/other-names.ts';
import type { LogEntry } from '../runcloud/runcloud.ts';

const MAX_LINES = 2;

const ABOUT_CERTIFICATES =
  /\b(ssl|tls|certificates?|let'?s ?encrypt|acme|challenges?|dns|caa|validat\w*|authori[sz]\w*|renew\w*)\b/i;
const TROUBLE =
  /\b(fail\w*|errors?|unable|could ?n.t|could not|cannot|can.t|refus\w*|reject\w*|not found|invalid|denied|timed? ?out|limit\w*|expired)\b/i;
/** [D] v2/api-9849787 knows `Info`, `Warning` and `High Priority Info`; deployments and successes come as `Info`. */
const isRoutine = ({ kind, content }: LogEntry): boolean => kind === 'Info' && !TROUBLE.test(content);

/** Entries that may say why a certificate failed. */
export const troublesIn = (entries: readonly LogEntry[]): LogEntry[] =>
  entries.filter((entry) => ABOUT_CERTIFICATES.test(entry.content) && !isRoutine(entry));

/** The names that stand in lines about the failure. None if all do: that tells nothing. */
export function namesInTroubles(entries: readonly LogEntry[], names: readonly string[]): string[] {
  const named = new Set(troublesIn(entries).flatMap(({ content }) => findNamed(content, names)));
  return named.size < names.length ? names.filter((name) => named.has(name)) : [];
}

/** `entries`: since the order, the newest first. `names`: the domain's own. Undefined: the log says nothing of certificates. */
export function toLogText(entries: readonly LogEntry[], names: readonly string[]): LogText | undefined {
  const relevant = troublesIn(entries);
  const lines = [...new Set(relevant.map(({ content }) => content))].map((text) => ({
    text,
    ...hostsIn(text, names),
  }));
  const allowed = lines.filter(({ hasOthers }) => !hasOthers);
  // Lines without a name may be about another domain. They count only if no line names this one.
  const named = allowed.filter(({ hasOwn }) => hasOwn);
  const shown = (named.length > 0 ? named : allowed).slice(0, MAX_LINES);
  if (shown.length > 0) return { kind: 'lines', text: shown.map(({ text }) => `"${text}"`).join(', ') };
  return relevant.length > 0 ? { kind: 'elsewhere' } : undefined;
}
