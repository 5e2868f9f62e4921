// The result of the story, measured in the simulator, in Redis and by handshakes. It reads nothing from the screen and judges nothing
// (promises.ts does).
import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../packages/simulator/src/index.ts';
import type { DomainRecord } from '../src/domains/domain.ts';
import { parseDomainName } from '../src/domains/domain-name.ts';
import { namesOf } from '../src/domains/names.ts';
import type { Receipt } from '../src/index.ts';
import type { Operator, QueueCounts } from '../src/queue/operator.ts';
import { domains } from './cast.ts';
import { shakeHands } from './handshake.ts';
import type { Stage } from './stage.ts';
import type { Played } from './story.ts';

const REST_TIMEOUT_MS = 20_000;

export interface Measures {
  readonly attached: readonly { readonly name: string; readonly www: boolean }[];
  readonly coveredNames: readonly string[];
  readonly certificateOrders: number;
  readonly calls: readonly Call[];
  /** API calls in the worker's log. */
  readonly loggedCalls: number;
  /** Of these, those of redeploys: for all domains together. */
  readonly redeployCalls: number;
  readonly jobs: QueueCounts;
  readonly receipts: readonly Receipt[];
  readonly domains: readonly DomainFound[];
}

/** One domain of the story. */
export interface DomainFound {
  readonly name: string;
  readonly state: DomainRecord['state'] | undefined;
  readonly mustAct: DomainRecord['mustAct'];
  readonly proofs: readonly Proof[];
  /** Of its own jobs. */
  readonly calls: number;
  /** Certificate orders with its name. */
  readonly orders: number;
}

/** A handshake for one name. */
export interface Proof {
  readonly name: string;
  /** Undefined: no valid certificate was shown. */
  readonly until: Date | undefined;
}

export async function measure(stage: Stage, { receipts }: Played): Promise<Measures> {
  const {
    simulator: { state },
    worker,
    operator,
  } = stage;
  const jobs = await countAtRest(operator);
  const logged = worker.lines.filter(({ call }) => call !== undefined);
  return {
    attached: state.domains(),
    coveredNames: state.coveredNames(),
    certificateOrders: state.certificateOrders,
    calls: state.calls.map((call) => ({ ...call })),
    loggedCalls: logged.length,
    redeployCalls: logged.filter(({ job }) => job === 'redeploy-ssl').length,
    jobs,
    receipts,
    domains: await Promise.all(Object.values(domains).map((name) => measureDomain(stage, name))),
  };
}

/** The log has an outcome before BullMQ has it. */
async function countAtRest(operator: Operator): Promise<QueueCounts> {
  const deadline = Date.now() + REST_TIMEOUT_MS;
  let counts = await operator.counts();
  while (counts.active + counts.waiting > 0 && Date.now() < deadline) {
    await sleep(20);
    counts = await operator.counts();
  }
  return counts;
}

async function measureDomain(
  { simulator: { state, edge }, worker, operator }: Stage,
  name: string,
): Promise<DomainFound> {
  const record = (await operator.domain(parseDomainName(name), {}))?.record;
  const www = record?.desired.presence === 'present' && record.desired.www !== false;
  const proofs = namesOf([{ name, www }]).map(async (host) => ({
    name: host,
    until: await shakeHands(edge, host),
  }));
  return {
    name,
    state: record?.state,
    mustAct: record?.mustAct,
    proofs: await Promise.all(proofs),
    calls: worker.lines.filter(({ call, domain }) => call !== undefined && domain === name).length,
    orders: state.orders.filter(({ names }) => names.includes(name)).length,
  };
}
