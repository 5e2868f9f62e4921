// The end of the story on the screen: each promise with what was found, and the API calls by kind. Measures nothing itself.
import type { Call } from '../src/simulator/index.ts';
import type { Measures, Promised } from './measures.ts';
import { shorten } from './narrator.ts';
import type { Screen } from './screen.ts';
import { WEB_APPLICATION } from './stage.ts';

export function showSummary(screen: Screen, found: Measures, promises: readonly Promised[]): void {
  screen.heading('What the simulator and Redis hold now');
  screen.blank();
  for (const { isKept, sentence } of promises) screen.verdict(isKept, sentence);
  screen.heading('API calls, as the simulator has counted them');
  screen.blank();
  for (const row of toCallTable(found.calls)) screen.row(row);
}

/** `/api/v3/servers/1903/webapps/646/domains/4712?page=1` -> `…/domains/4712` */
const toShortPath = (path: string): string =>
  shorten(path.replace(/^\/api\/v\d/, '').replace(/\?.*$/, ''), WEB_APPLICATION);

export function toCallTable(calls: readonly Call[]): string[] {
  const kinds = new Map<string, string[]>();
  for (const { method, path, status } of calls) {
    const kind = `${method.padEnd(6)} ${toShortPath(path)}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), status === null ? 'no reply' : String(status)]);
  }
  const width = Math.max(...[...kinds.keys()].map((kind) => kind.length));
  return [...kinds].map(
    ([kind, statuses]) =>
      `  ${String(statuses.length).padStart(3)}  ${kind.padEnd(width)}  ${statuses.join(', ')}`,
  );
}

/** One sentence for stderr where a promise was broken; undefined where all were kept. */
export function complaint(promises: readonly Promised[]): string | undefined {
  const broken = promises.filter(({ isKept }) => !isKept).map(({ sentence }) => sentence);
  return broken.length === 0 ? undefined : `The demo did not go as its story promises: ${broken.join('; ')}.`;
}
