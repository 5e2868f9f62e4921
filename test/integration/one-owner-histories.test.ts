// Random requests for a domain and its www name, by all writers at once, with lost and late replies: in the end each host name is on RunCloud
// once, and as the records want it.
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { CodedError } from '../../src/errors.ts';
import { until } from '../helpers/until.ts';
import { APP, createStage, PROMPT, type Stage } from '../helpers/worker.ts';

type Event =
  | { readonly ask: 'add'; readonly isWww: boolean; readonly www: boolean | 'auto'; readonly isBare: boolean }
  | { readonly ask: 'remove'; readonly isWww: boolean; readonly isBare: boolean }
  | {
      readonly fault: 'attach-domain' | 'update-domain' | 'delete-domain';
      readonly kind: 'drop-after' | 'drop-before';
    }
  | { readonly passMs: number };

const histories: fc.Arbitrary<Event[]> = fc.array(
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        ask: fc.constant('add' as const),
        isWww: fc.boolean(),
        www: fc.constantFrom(true, false, 'auto' as const, 'auto' as const),
        isBare: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        ask: fc.constant('remove' as const),
        isWww: fc.boolean(),
        isBare: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        fault: fc.constantFrom('attach-domain' as const, 'update-domain' as const, 'delete-domain' as const),
        kind: fc.constantFrom('drop-after' as const, 'drop-before' as const),
      }),
    },
    { weight: 3, arbitrary: fc.record({ passMs: fc.integer({ min: 0, max: 60 }) }) },
  ),
  { minLength: 4, maxLength: 14 },
);

async function play(stage: Stage, apex: string, history: readonly Event[]): Promise<void> {
  for (const event of history) {
    if ('passMs' in event) await new Promise((resolve) => setTimeout(resolve, event.passMs));
    else if ('fault' in event)
      stage.simulator.addFault({ kind: event.kind, operation: event.fault, times: 1 });
    else await ask(stage, apex, event);
  }
}

async function ask(stage: Stage, apex: string, event: Extract<Event, { ask: string }>): Promise<void> {
  const domain = event.isWww ? `www.${apex}` : apex;
  const name = event.ask === 'add' ? 'add-domain' : 'remove-domain';
  const payload = { domain, ...(event.ask === 'add' && !event.isWww && { www: event.www }) };
  if (event.isBare) await stage.add(name, payload);
  else
    await stage.producer.requests.enqueue(name, payload).catch((error: unknown) => {
      if (!(error instanceof CodedError && error.code === 'host-name-taken')) throw error;
    });
}

/** What is wrong of the two names, in sentences. */
async function violations({ simulator, producer }: Stage, apex: string): Promise<string[]> {
  const rows = simulator.state.domains().filter(({ name }) => name === apex || name === `www.${apex}`);
  const served = rows.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name]));
  const twice = served
    .filter((name, at) => served.indexOf(name) !== at)
    .map((name) => `${name} is there twice`);
  const records = await Promise.all(
    [apex, `www.${apex}`].map((name) =>
      producer.requests.store.get({ ...APP, domain: parseDomainName(name) }),
    ),
  );
  const wrong = records.flatMap((record) => {
    if (!record || record.request === 'failed') return [];
    const row = rows.find(({ name }) => name === record.domain);
    const isDesired = record.desired.presence === 'present';
    if (isDesired !== (row !== undefined))
      return [`${record.domain} is ${record.desired.presence}, and is not so`];
    const www = record.desired.presence === 'present' && record.desired.www !== false;
    return row && row.www !== www ? [`${record.domain}: www is ${row.www} (${record.outcome})`] : [];
  });
  return [...twice, ...wrong];
}

test('each host name is on RunCloud once, as the records want it', async () => {
  await using stage = await createStage({
    workers: 2,
    retries: { attempts: 100 },
    backoff: { ...PROMPT, checkMs: 40, lateMs: 100, lagMs: 40 },
  });
  const drawn = fc.sample(histories, { seed: 7, numRuns: 12 });
  for (const [at, history] of drawn.entries()) {
    const apex = `history-${at}.com`;
    await play(stage, apex, history);
    stage.simulator.clearFaults();
    await stage.idle();
    const found = await until(async () => {
      const wrong = await violations(stage, apex);
      return wrong.length === 0 ? [] : undefined;
    }, `${apex} is as wanted`).catch(() => violations(stage, apex));
    expect({ history, found }).toEqual({ history, found: [] });
  }
});
