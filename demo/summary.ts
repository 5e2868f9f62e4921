// The end of the story on the screen: each promise, each domain, and the API calls by kind. It measures nothing itself.
import type { Call } from '../packages/simulator/src/index.ts';
import type { DomainFound, Measures } from './measures.ts';
import { shorten } from './narrator.ts';
import type { Promised } from './promises.ts';
import type { Screen } from './screen.ts';
import { WEB_APPLICATION } from './stage.ts';

export function showSummary(screen: Screen, found: Measures, promises: readonly Promised[]): void {
  screen.heading('What the simulator and Redis contain now');
  screen.blank();
  for (const { isKept, sentence } of promises) screen.verdict(isKept, sentence);
  screen.heading('Each domain, with its certificate as a handshake showed it');
  screen.blank();
  for (const row of toDomainTable(found)) screen.row(row);
  screen.heading('API calls, counted by the simulator');
  screen.blank();
  for (const row of toCallTable(found.calls)) screen.row(row);
}

const headings = ['domain', 'state', 'certificate', 'API calls', 'orders'];

export function toDomainTable({ domains, redeployCalls, certificateOrders }: Measures): string[] {
  const all = ['the redeploys', '', '', String(redeployCalls), String(certificateOrders)];
  const rows = [headings, ...domains.map(toCells), all];
  const widths = headings.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd());
}

function toCells({ name, state: reached, mustAct, proofs, calls, orders }: DomainFound): string[] {
  const state = mustAct === undefined ? String(reached) : `${reached} (${mustAct})`;
  return [name, state, toProofText(proofs), String(calls), String(orders)];
}

/** `its name and www, until 2027-01-31` */
function toProofText(proofs: DomainFound['proofs']): string {
  const untils = proofs.flatMap(({ until }) => (until === undefined ? [] : [until.getTime()]));
  if (untils.length < proofs.length) return 'none';
  const names = proofs.length === 1 ? 'its name' : 'its name and www';
  return `${names}, until ${new Date(Math.min(...untils)).toISOString().slice(0, 10)}`;
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

/** One sentence for stderr if a promise was broken; undefined if all were kept. */
export function complaint(promises: readonly Promised[]): string | undefined {
  const broken = promises.filter(({ isKept }) => !isKept).map(({ sentence }) => sentence);
  return broken.length === 0 ? undefined : `The demo broke a promise of its story: ${broken.join('; ')}.`;
}
