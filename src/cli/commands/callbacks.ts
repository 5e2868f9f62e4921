// callbacks list, callbacks replay: webhook deliveries, and sending them again.
import type { Command } from 'commander';

import { toDeliveryRecord } from '../../api-records/operations.ts';
import type { ProducerApp } from '../../app/app.ts';
import { type Delivery, isDeliveryId, toReplayEntry } from '../../callbacks/deliveries.ts';
import type { Cli } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { parseLimit } from '../flags.ts';
import * as messages from '../messages.ts';
import { operatorName } from '../operator-name.ts';
import { say, toWholeTable } from '../output/layout.ts';
import type { Terminal } from '../output/terminal.ts';
import { toRelative } from '../output/times.ts';

type App = Pick<ProducerApp, 'deliveries'>;
type Admin = Pick<ProducerApp, 'deliveries' | 'audit'>;

export interface CallbackFlags {
  readonly json?: boolean | undefined;
  readonly failed?: boolean | undefined;
  /** As typed. */
  readonly limit?: string | undefined;
  readonly before?: string | undefined;
}

export function addCallbacks(program: Command, { terminal, withRedis, action }: Cli): void {
  const callbacks = program.command('callbacks').description('List and resend webhook deliveries.');
  callbacks
    .command('list')
    .description('List deliveries with their result, the newest first.')
    .option('--failed', 'only deliveries that failed for good')
    .option('--limit <number>', 'how many', DEFAULT_LIMIT)
    .option('--before <id>', 'only deliveries older than this one')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExamples:\n  runcloud-domains callbacks list --failed')
    .action(action((flags: CallbackFlags) => withRedis((app) => showDeliveries(app, flags, terminal))));
  callbacks
    .command('replay')
    .description('Send deliveries again, with the same webhook-id. Each is retried for three days.')
    .argument('[id...]', 'ids of deliveries, from `callbacks list`')
    .option('--failed', 'all deliveries that failed for good')
    .addHelpText('after', '\nExamples:\n  runcloud-domains callbacks replay --failed')
    .action(
      action((ids: string[], flags: Pick<CallbackFlags, 'failed'>) =>
        withRedis((app) => replayDeliveries(ids, flags, app, terminal)),
      ),
    );
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
    terminal.err(messages.BAD_DELIVERY_ID);
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
  if (page.deliveries.length === 0) terminal.out(messages.noDeliveries(failed));
  else
    say(
      terminal,
      toWholeTable(
        [HEADER, ...page.deliveries.map((delivery) => toRow(delivery, terminal.now()))],
        terminal.columns,
      ),
    );
  if (page.next !== undefined) terminal.out(messages.moreDeliveries(page.next));
  return exitCodes.ok;
}

const HEADER = ['DELIVERY', 'TYPE', 'DOMAIN', 'HAPPENED', 'STATE', 'TRIES', 'URL', 'LAST ERROR'];

const toRow = (
  { id, type, domain, at, state, attempts, url, lastError }: Delivery,
  nowMs: number,
): string[] => [
  id,
  type,
  domain ?? '-',
  toRelative(at, nowMs),
  state,
  String(attempts),
  url ?? messages.URL_REMOVED,
  lastError ?? '',
];

export async function replayDeliveries(
  ids: readonly string[],
  { failed = false }: Pick<CallbackFlags, 'failed'>,
  { deliveries, audit }: Admin,
  terminal: Terminal,
): Promise<ExitCode> {
  if (failed === ids.length > 0) {
    terminal.err(messages.NO_DELIVERY_NAMED);
    return exitCodes.usage;
  }
  const all = failed ? await allFailed({ deliveries }) : [];
  const replayed = failed ? all.map(({ id }) => id) : ids;
  if (replayed.length === 0) terminal.out(messages.noDeliveries(true));
  const entry = { who: operatorName(), what: 'replay' } as const;
  if (failed && replayed.length > 0) {
    const domains = [...new Set(all.flatMap(({ domain }) => domain ?? []))];
    await audit.record({ ...entry, domains, detail: `${replayed.length} failed` });
  }
  let code: ExitCode = exitCodes.ok;
  for (const id of replayed) {
    const result = await deliveries.replay(id);
    if (result.kind === 'refused') {
      terminal.err(messages.notRetried(id, 'rejected', result.sentence));
      code = exitCodes.failed;
      continue;
    }
    terminal.out(messages.queuedAgain(id, 'delivery', result.deliveryId));
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
