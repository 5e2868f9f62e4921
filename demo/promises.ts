// Compares what was measured with what the story promises. Pure.
import type { Call } from '../packages/simulator/src/index.ts';
import { DEFAULT_PRIMARY_DOMAIN } from '../packages/simulator/src/index.ts';
import { domains } from './cast.ts';
import { delays } from './hurry.ts';
import type { DomainFound, Measures } from './measures.ts';

const REDEPLOY_DELAY_MS = 1000 * Number.parseInt(delays.SSL_REDEPLOY_DELAY, 10);

/** One thing that the story promises, as a sentence about what was found. */
export interface Promised {
  readonly sentence: string;
  readonly isKept: boolean;
}

export function judge(found: Measures): Promised[] {
  return [
    attached(found),
    requested(found),
    retried(found),
    removed(found),
    live(found),
    late(found),
    held(found),
    orders(found),
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

const isLive = ({ state, proofs }: DomainFound): boolean =>
  state === 'live' && proofs.every(({ until }) => until !== undefined);

const domainOf = (found: Measures, name: string): DomainFound | undefined =>
  found.domains.find((domain) => domain.name === name);

function attached({ attached: found }: Measures): Promised {
  const shown = found.map(({ name, www }) => (www ? `${name} (with www)` : name));
  const { apex, twice, unlucky, late } = domains;
  const expected = [DEFAULT_PRIMARY_DOMAIN, `${apex} (with www)`, twice, unlucky, late];
  return {
    sentence: `${counted(found.length, 'domain')} attached: ${shown.join(', ')}`,
    isKept: sameNames(shown, expected),
  };
}

function requested(found: Measures): Promised {
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

/** The domains whose DNS pointed here from the start. */
function live(found: Measures): Promised {
  const pointed: readonly string[] = [domains.apex, domains.twice, domains.unlucky];
  const proven = found.domains.filter((domain) => pointed.includes(domain.name) && isLive(domain));
  const names = proven.flatMap(({ proofs }) => proofs.map(({ name }) => name));
  return {
    sentence: `${proven.length} of ${counted(pointed.length, 'domain')} with DNS live, by a handshake for ${names.join(', ') || 'none'}`,
    isKept: proven.length === pointed.length,
  };
}

function late(found: Measures): Promised {
  const requests = found.receipts.filter(({ domain }) => domain === domains.late);
  const domain = domainOf(found, domains.late);
  return {
    sentence: `${domains.late}: ${domain?.state}, on its own after its DNS came; ${counted(requests.length, 'request')}`,
    isKept: domain !== undefined && isLive(domain) && requests.length === 1,
  };
}

function held(found: Measures): Promised {
  const { state, mustAct } = domainOf(found, domains.never) ?? {};
  const posts = callsOf(found, 'attach-domain', domains.never);
  return {
    sentence: `${domains.never}: ${state}, ${mustAct ?? 'nobody'} must act; ${sent('POST', posts)}`,
    isKept: state === 'held' && mustAct === 'customer' && posts.length === 0,
  };
}

/**
 * One for the four changes of acts 1 to 5; one more for the domain whose DNS came late. On a slow machine the changes
 * take longer than three delays, the longest that a redeploy waits: then one more each time.
 */
function ordersAllowed({ calls: made }: Measures): number {
  const changes = made.filter(({ method, path }) => method !== 'GET' && path.includes('/domains'));
  const [first, last] = [changes[0], changes.findLast(({ method }) => method === 'DELETE')];
  const spanMs = (last?.startedAt ?? 0) - (first?.startedAt ?? 0);
  return 2 + Math.floor(spanMs / (3 * REDEPLOY_DELAY_MS));
}

function orders(measures: Measures): Promised {
  const { attached: found, coveredNames, certificateOrders } = measures;
  const names = found.flatMap(({ name, www }) => (www ? [name, `www.${name}`] : [name]));
  const isWhole = sameNames(names, coveredNames);
  const extent = isWhole ? `all ${names.length} names` : coveredNames.join(', ') || 'nothing';
  return {
    sentence: `${counted(certificateOrders, 'certificate order')} (four changes at once, then the late domain) cover ${extent}`,
    isKept: isWhole && certificateOrders <= ordersAllowed(measures),
  };
}

/** Four additions, one removal, and the redeploys; and the domain that still waits. */
function jobs({
  jobs: { waiting, active, delayed, failed, completed },
  certificateOrders,
}: Measures): Promised {
  const open = waiting + active + delayed;
  return {
    sentence: `${counted(completed, 'job')} completed, ${failed} failed, ${open} open (${domains.never} waits for its DNS)`,
    isKept: completed === 5 + certificateOrders && failed === 0 && open === 1,
  };
}

function calls({ calls: made, loggedCalls }: Measures): Promised {
  return {
    sentence: `${counted(made.length, 'API call')} reached the simulator, ${loggedCalls} are in the worker's log`,
    isKept: made.length === loggedCalls,
  };
}
