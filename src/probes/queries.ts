// The DNS queries about one name, each bounded in time and number, over one resolver of its own.
// Judges nothing. Only tells "not there" from "the query failed".
import { Resolver } from 'node:dns/promises';
import { getDomain } from 'tldts';
import { late, unlessAborted, withDeadline } from '../deadline.ts';
import { toCanonicalAddress } from './addresses.ts';
import type { CaaRecord, CaaSet } from './judge-caa.ts';
import type { Answer, DnsAnswers } from './judge-dns.ts';
import { toErrorCode } from './shown-text.ts';

export interface QuerySettings {
  readonly servers: readonly string[] | undefined;
  /** In milliseconds, for one try at one server. */
  readonly timeoutMs: number;
}

const tries = 2;

/**
 * A check sends several queries in a row (CNAMEs, CAA), and each may be slow. All together end
 * after so many timeouts.
 */
const timeoutsPerCheck = 6;

/** More CNAMEs in a row than resolvers follow. Also ends a chain that loops. */
const maxChain = 8;

/**
 * c-ares: NXDOMAIN, and an answer without such records. Any other code says nothing about the name.
 */
const absent: Readonly<Record<string, boolean>> = { ENOTFOUND: false, ENODATA: true };

/** Sends one query and never throws. */
type Query = <T>(send: (resolver: Resolver) => Promise<readonly T[]>) => Promise<Answer<readonly T[]>>;

/**
 * Throws if a server is no address (with a port or without): a wrong setting must show before the
 * first check.
 */
export function createResolver({ servers, timeoutMs }: QuerySettings): Resolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (servers !== undefined && servers.length > 0) resolver.setServers(servers);
  return resolver;
}

function toAnswer(error: unknown): Answer<never> {
  const code = toErrorCode(error);
  const nameExists = absent[code];
  return nameExists === undefined ? { kind: 'failed', code } : { kind: 'none', nameExists };
}

function createQuery(resolver: Resolver, ended: AbortSignal): Query {
  return async (send) => {
    // Cancelling ends running queries only, and not for certain. The next query would still start.
    if (ended.aborted) return { kind: 'failed', code: 'ETIMEOUT' };
    try {
      const value = await unlessAborted(send(resolver), ended, late);
      return value.length === 0 ? { kind: 'none', nameExists: true } : { kind: 'found', value };
    } catch (error) {
      return ended.aborted ? { kind: 'failed', code: 'ETIMEOUT' } : toAnswer(error);
    }
  };
}

const toName = (text: string): string => text.toLowerCase().replace(/\.$/, '');

async function followCname(query: Query, name: string): Promise<readonly string[]> {
  const chain: string[] = [];
  while (chain.length < maxChain) {
    const at = chain.at(-1) ?? name;
    const answer = await query((resolver) => resolver.resolveCname(at));
    const next = answer.kind === 'found' ? toName(answer.value[0] ?? '') : '';
    if (next === '' || next === name || chain.includes(next)) break;
    chain.push(next);
  }
  return chain;
}

/**
 * `shop.example.co.uk` -> itself, then `example.co.uk`. The registries above it do not count here.
 */
function toClimb(name: string): readonly string[] {
  const top = getDomain(name, { allowPrivateDomains: false, validateHostname: false }) ?? name;
  const labels = name.split('.');
  const steps = labels.length - top.split('.').length;
  return labels.slice(0, Math.max(steps, 0) + 1).map((_, index) => labels.slice(index).join('.'));
}

/**
 * Node's records are `{ critical: 0, issue: 'letsencrypt.org' }`: the tag is the key that is left.
 */
function toCaaRecords(record: object): readonly CaaRecord[] {
  const fields = Object.entries(record) as readonly (readonly [string, unknown])[];
  const critical = Number(fields.find(([key]) => key === 'critical')?.[1] ?? 0);
  return fields
    .filter(([key, value]) => key !== 'critical' && key !== 'type' && typeof value === 'string')
    .map(([tag, value]) => ({ critical, tag, value: String(value) }));
}

/** RFC 8659, 3: from the name upwards, the first set that is not empty counts. */
async function climbCaa(query: Query, name: string): Promise<Answer<CaaSet>> {
  for (const at of toClimb(name)) {
    const answer = await query((resolver) => resolver.resolveCaa(at));
    if (answer.kind === 'failed') return answer;
    if (answer.kind === 'found')
      return { kind: 'found', value: { at, records: answer.value.flatMap(toCaaRecords) } };
  }
  return { kind: 'none', nameExists: true };
}

/** The zone of a name, and its name servers. */
export interface Zone {
  readonly at: string;
  readonly servers: readonly string[];
}

/**
 * From the name upwards. The target of an alias has name servers of its own, which do not count.
 */
async function climbZone(query: Query, name: string): Promise<Answer<Zone>> {
  for (const at of toClimb(name)) {
    const answer = await query((resolver) => resolver.resolveNs(at));
    if (answer.kind === 'failed') return answer;
    if (answer.kind !== 'found') continue;
    const alias = await query((resolver) => resolver.resolveCname(at));
    if (alias.kind !== 'found') return { kind: 'found', value: { at, servers: answer.value.map(toName) } };
  }
  return { kind: 'none', nameExists: true };
}

async function queryAll(query: Query, name: string): Promise<DnsAnswers> {
  const [a, aaaa, cname, caa] = await Promise.all([
    query((resolver) => resolver.resolve4(name)),
    query((resolver) => resolver.resolve6(name).then((addresses) => addresses.map(toCanonicalAddress))),
    followCname(query, name),
    climbCaa(query, name),
  ]);
  return { a, aaaa, cname, caa };
}

/** Throws only the reason of `signal`. */
async function queryWithin<T>(
  settings: QuerySettings,
  signal: AbortSignal | undefined,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const resolver = createResolver(settings);
  const answers = await withDeadline(settings.timeoutMs * timeoutsPerCheck, signal, (ended) => {
    ended.addEventListener('abort', () => resolver.cancel(), { once: true });
    return work(createQuery(resolver, ended));
  });
  signal?.throwIfAborted();
  return answers;
}

export const queryDns = (name: string, settings: QuerySettings, signal?: AbortSignal): Promise<DnsAnswers> =>
  queryWithin(settings, signal, (query) => queryAll(query, name));

export const queryZone = (
  name: string,
  settings: QuerySettings,
  signal?: AbortSignal,
): Promise<Answer<Zone>> => queryWithin(settings, signal, (query) => climbZone(query, name));
