// What the story has led to, measured in the simulator and in Redis, and whether that is what the story promises.
// Takes nothing from the screen, and nothing for granted.
import type { Receipt } from '../src/index.ts';
import type { QueueCounts } from '../src/queue/operator.ts';
import type { Call } from '../src/simulator/index.ts';
import { DEFAULT_PRIMARY_DOMAIN } from '../src/simulator/index.ts';
import { domains } from './cast.ts';
import type { Stage } from './stage.ts';
import type { Told } from './story.ts';

export interface Measures {
  readonly attached: readonly { readonly name: string; readonly www: boolean }[];
  readonly coveredNames: readonly string[];
  readonly certificateOrders: number;
  readonly calls: readonly Call[];
  /** API calls that stand in the worker's log. */
  readonly loggedCalls: number;
  readonly jobs: QueueCounts;
  readonly receipts: readonly Receipt[];
}

/** One thing that the story promises, as a sentence about what was found. */
export interface Promised {
  readonly sentence: string;
  readonly isKept: boolean;
}

export async function measure(
  { simulator: { state }, worker, operator }: Stage,
  { receipts }: Told,
): Promise<Measures> {
  return {
    attached: state.domains(),
    coveredNames: state.coveredNames(),
    certificateOrders: state.certificateOrders,
    calls: state.calls.map((call) => ({ ...call })),
    loggedCalls: worker.lines.filter(({ call }) => call !== undefined).length,
    jobs: await operator.counts(),
    receipts,
  };
}

export function judge(found: Measures): Promised[] {
  return [
    attached(found),
    asked(found),
    retried(found),
    removed(found),
    certificate(found),
    jobs(found),
    calls(found),
  ];
}

/** The same, in whatever order. */
const sameNames = (one: readonly string[], other: readonly string[]): boolean =>
  [...one].sort().join(' ') === [...other].sort().join(' ');

const callsOf = (found: Measures, operation: Call['operation'], domain: string): Call[] =>
  found.calls.filter((call) => call.operation === operation && call.domain === domain);

const statuses = (calls: readonly Call[]): string =>
  calls.map(({ status }) => status ?? 'no reply').join(', ');

/** `2 POST (503, 200)` */
const sent = (method: string, calls: readonly Call[]): string =>
  calls.length === 0 ? `no ${method}` : `${calls.length} ${method} (${statuses(calls)})`;

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function attached({ attached: found }: Measures): Promised {
  const shown = found.map(({ name, www }) => (www ? `${name} (with www)` : name));
  const { apex, twice, unlucky } = domains;
  const expected = [DEFAULT_PRIMARY_DOMAIN, `${apex} (with www)`, twice, unlucky];
  return {
    sentence: `${counted(found.length, 'domain')} attached: ${shown.join(', ')}`,
    isKept: sameNames(shown, expected),
  };
}

function asked(found: Measures): Promised {
  const requests = found.receipts.filter(({ domain }) => domain === domains.twice);
  const jobIds = new Set(requests.map(({ jobId }) => jobId));
  const posts = callsOf(found, 'attach-domain', domains.twice);
  return {
    sentence: `${domains.twice}: ${counted(requests.length, 'request')}, ${counted(jobIds.size, 'job')}, ${sent('POST', posts)}`,
    isKept:
      requests.length === 2 && jobIds.size === 1 && requests[1]?.coalesced === true && posts.length === 1,
  };
}

function retried(found: Measures): Promised {
  const posts = callsOf(found, 'attach-domain', domains.unlucky);
  return {
    sentence: `${domains.unlucky}: ${sent('POST', posts)}`,
    isKept: statuses(posts) === '503, 200',
  };
}

function removed(found: Measures): Promised {
  const deletes = callsOf(found, 'delete-domain', domains.leaving);
  const isThere = found.attached.some(({ name }) => name === domains.leaving);
  return {
    sentence: `${domains.leaving}: ${isThere ? 'still attached' : 'gone'}, ${sent('DELETE', deletes)}`,
    isKept: !isThere && statuses(deletes) === 'no reply',
  };
}

function certificate({ attached: found, coveredNames, certificateOrders }: Measures): Promised {
  const names = found.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name]));
  const isWhole = sameNames(names, coveredNames);
  const extent = isWhole
    ? `covers all ${names.length} names`
    : `covers ${coveredNames.join(', ') || 'nothing'}`;
  return {
    sentence: `${counted(certificateOrders, 'certificate order')}; the certificate ${extent}`,
    isKept: isWhole && certificateOrders === 1,
  };
}

/** Three additions, one removal, one redeploy. */
function jobs({ jobs: { waiting, active, delayed, failed, completed } }: Measures): Promised {
  const open = waiting + active + delayed;
  return {
    sentence: `${counted(completed, 'job')} completed, ${failed} failed, ${open} open`,
    isKept: completed === 5 && failed === 0 && open === 0,
  };
}

function calls({ calls: made, loggedCalls }: Measures): Promised {
  return {
    sentence: `${counted(made.length, 'API call')} reached the simulator, ${loggedCalls} stand in the worker's log`,
    isKept: made.length === loggedCalls,
  };
}
