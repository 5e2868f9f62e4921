// callbacks list, callbacks replay: what the outside was told, and telling it again.

import { toDeliveryRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import { type Delivery, isDeliveryId, toReplayEntry } from '../../callbacks/deliveries.ts';
import { parseLimit } from '../limit.ts';
import { operatorName } from '../operator-name.ts';
import { say, toWholeTable } from '../output/layout.ts';
import { type ExitCode, exitCodes, type Terminal, toRelative } from '../output/terminal.ts';

type App = Pick<ProducerApp, 'deliveries'>;
type Admin = Pick<ProducerApp, 'deliveries' | 'audit'>;

export interface CallbackFlags {
  readonly json?: boolean | undefined;
  readonly failed?: boolean | undefined;
  /** As typed. */
  readonly limit?: string | undefined;
  readonly before?: string | undefined;
}

const DEFAULT_LIMIT = '50';
const MAX_LIMIT = 1_000;

export async function showDeliveries(
  { deliveries }: App,
  { json, failed = false, limit: typed = DEFAULT_LIMIT, before }: CallbackFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const limit = parseLimit(typed, MAX_LIMIT);
  if (typeof limit === 'string') {
    terminal.err(limit);
    return exitCodes.usage;
  }
  if (before !== undefined && !isDeliveryId(before)) {
    terminal.err('--before takes the id of a delivery, as the list shows it');
    return exitCodes.usage;
  }
  const page = await deliveries.list({ limit, cursor: before, failedOnly: failed });
  if (json) {
    terminal.out(
      JSON.stringify(
        { deliveries: page.deliveries.map(toDeliveryRecord), nextCursor: page.next ?? null },
        null,
        2,
      ),
    );
    return exitCodes.ok;
  }
  if (page.deliveries.length === 0) terminal.out(failed ? 'no delivery has failed' : 'no delivery yet');
  else say(terminal, toWholeTable([HEADER, ...page.deliveries.map(toRow)], terminal.columns));
  if (page.next !== undefined) terminal.out(`more: --before ${page.next}`);
  return exitCodes.ok;
}

const HEADER = ['DELIVERY', 'TYPE', 'DOMAIN', 'HAPPENED', 'STATE', 'TRIES', 'URL', 'LAST ERROR'];
const GONE = '(no longer configured)';

const toRow = ({ id, type, domain, at, state, attempts, url, lastError }: Delivery): string[] => [
  id,
  type,
  domain ?? '-',
  toRelative(at, Date.now()),
  state,
  String(attempts),
  url ?? GONE,
  lastError ?? '',
];

export async function replayDeliveries(
  ids: readonly string[],
  { failed = false }: Pick<CallbackFlags, 'failed'>,
  { deliveries, audit }: Admin,
  terminal: Terminal,
): Promise<ExitCode> {
  if (failed === ids.length > 0) {
    terminal.err('name deliveries, as `callbacks list` does, or say --failed');
    return exitCodes.usage;
  }
  const all = failed ? await allFailed({ deliveries }) : [];
  const desired = failed ? all.map(({ id }) => id) : ids;
  if (desired.length === 0) terminal.out('no delivery has failed');
  const entry = { who: operatorName(), what: 'replay' } as const;
  if (failed && desired.length > 0) {
    const domains = [...new Set(all.flatMap(({ domain }) => domain ?? []))];
    await audit.record({ ...entry, domains, detail: `${desired.length} failed` });
  }
  let code: ExitCode = exitCodes.ok;
  for (const id of desired) {
    const result = await deliveries.replay(id);
    if (result.kind === 'refused') {
      terminal.err(`${id}: refused: ${result.sentence}`);
      code = exitCodes.failed;
      continue;
    }
    terminal.out(`${id}: on its way again as ${result.deliveryId}`);
    if (!failed) await audit.record({ ...entry, ...toReplayEntry(result) });
  }
  return code;
}

async function allFailed({ deliveries }: App): Promise<Delivery[]> {
  const found: Delivery[] = [];
  let cursor: string | undefined;
  do {
    const page = await deliveries.list({ limit: MAX_LIMIT, cursor, failedOnly: true });
    found.push(...page.deliveries);
    cursor = page.next;
  } while (cursor !== undefined);
  return found;
}
