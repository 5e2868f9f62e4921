// The questions that DNS is asked about one name, each bounded in time and number, over one resolver of its own.
// Judges nothing; only tells "not there" from "could not be asked".
import { Resolver } from 'node:dns/promises';
import { getDomain } from 'tldts';
import { toCanonicalAddress } from './addresses.ts';
import { orEnd, withDeadline } from './deadline.ts';
import { toErrorCode } from './error-code.ts';
import type { CaaRecord, CaaSet } from './judge-caa.ts';
import type { Answer, DnsAnswers } from './judge-dns.ts';

export interface DnsQuestions {
  readonly servers: readonly string[] | undefined;
  /** For one try at one server. */
  readonly timeoutMs: number;
}

const tries = 2;

/** A look asks several questions in a row (CNAMEs, CAA), and each may be slow: all of them together end by then. */
const timeoutsPerLook = 6;

/** More CNAMEs in a row than resolvers follow; bounds also a chain that bites its own tail. */
const maxChain = 8;

/** c-ares: NXDOMAIN, and an answer without such records. Everything else says nothing about the name. */
const absent: Readonly<Record<string, boolean>> = { ENOTFOUND: false, ENODATA: true };

/** Asks one question and never throws. */
type Ask = <T>(question: (resolver: Resolver) => Promise<readonly T[]>) => Promise<Answer<readonly T[]>>;

/** Throws where a server is no address (with a port or without): a wrong setting, to be known before the first look. */
export function createResolver({ servers, timeoutMs }: DnsQuestions): Resolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (servers !== undefined && servers.length > 0) resolver.setServers(servers);
  return resolver;
}

function toAnswer(error: unknown): Answer<never> {
  const code = toErrorCode(error);
  const nameExists = absent[code];
  return nameExists === undefined ? { kind: 'failed', code } : { kind: 'none', nameExists };
}

function createAsk(resolver: Resolver, ended: AbortSignal): Ask {
  return async (question) => {
    // Cancelling ends only the questions under way; the next one would be sent nevertheless. Nor need it end one.
    if (ended.aborted) return { kind: 'failed', code: 'ETIMEOUT' };
    try {
      const value = await orEnd(question(resolver), ended);
      return value.length === 0 ? { kind: 'none', nameExists: true } : { kind: 'found', value };
    } catch (error) {
      return ended.aborted ? { kind: 'failed', code: 'ETIMEOUT' } : toAnswer(error);
    }
  };
}

const toName = (text: string): string => text.toLowerCase().replace(/\.$/, '');

async function followCname(ask: Ask, name: string): Promise<readonly string[]> {
  const chain: string[] = [];
  while (chain.length < maxChain) {
    const at = chain.at(-1) ?? name;
    const answer = await ask((resolver) => resolver.resolveCname(at));
    const next = answer.kind === 'found' ? toName(answer.value[0] ?? '') : '';
    if (next === '' || next === name || chain.includes(next)) break;
    chain.push(next);
  }
  return chain;
}

/** `shop.example.co.uk` -> itself, then `example.co.uk`. The registries above have no say in who issues for it here. */
function toClimb(name: string): readonly string[] {
  const top = getDomain(name, { allowPrivateDomains: false, validateHostname: false }) ?? name;
  const labels = name.split('.');
  const steps = labels.length - top.split('.').length;
  return labels.slice(0, Math.max(steps, 0) + 1).map((_, index) => labels.slice(index).join('.'));
}

/** Node hands a record over as `{ critical: 0, issue: 'letsencrypt.org' }`: the tag is whichever key is left. */
function toCaaRecords(record: object): readonly CaaRecord[] {
  const fields = Object.entries(record) as readonly (readonly [string, unknown])[];
  const critical = Number(fields.find(([key]) => key === 'critical')?.[1] ?? 0);
  return fields
    .filter(([key, value]) => key !== 'critical' && key !== 'type' && typeof value === 'string')
    .map(([tag, value]) => ({ critical, tag, value: String(value) }));
}

/** RFC 8659, 3: from the name upwards, the first set that is not empty counts, also if it says nothing about us. */
async function climbCaa(ask: Ask, name: string): Promise<Answer<CaaSet>> {
  for (const at of toClimb(name)) {
    const answer = await ask((resolver) => resolver.resolveCaa(at));
    if (answer.kind === 'failed') return answer;
    if (answer.kind === 'found')
      return { kind: 'found', value: { at, records: answer.value.flatMap(toCaaRecords) } };
  }
  return { kind: 'none', nameExists: true };
}

/** The zone that a name is in, and who serves it. */
export interface Zone {
  readonly at: string;
  readonly servers: readonly string[];
}

/** From the name upwards. What an alias leads to has name servers of its own, which are not the name's. */
async function climbZone(ask: Ask, name: string): Promise<Answer<Zone>> {
  for (const at of toClimb(name)) {
    const answer = await ask((resolver) => resolver.resolveNs(at));
    if (answer.kind === 'failed') return answer;
    if (answer.kind !== 'found') continue;
    const alias = await ask((resolver) => resolver.resolveCname(at));
    if (alias.kind !== 'found') return { kind: 'found', value: { at, servers: answer.value.map(toName) } };
  }
  return { kind: 'none', nameExists: true };
}

async function askAll(ask: Ask, name: string): Promise<DnsAnswers> {
  const [a, aaaa, cname, caa] = await Promise.all([
    ask((resolver) => resolver.resolve4(name)),
    ask((resolver) => resolver.resolve6(name).then((addresses) => addresses.map(toCanonicalAddress))),
    followCname(ask, name),
    climbCaa(ask, name),
  ]);
  return { a, aaaa, cname, caa };
}

/** Throws only what `signal` is aborted with. */
async function askWithin<T>(
  questions: DnsQuestions,
  signal: AbortSignal | undefined,
  work: (ask: Ask) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const resolver = createResolver(questions);
  const answers = await withDeadline(questions.timeoutMs * timeoutsPerLook, signal, (ended) => {
    ended.addEventListener('abort', () => resolver.cancel(), { once: true });
    return work(createAsk(resolver, ended));
  });
  signal?.throwIfAborted();
  return answers;
}

export const askDns = (name: string, questions: DnsQuestions, signal?: AbortSignal): Promise<DnsAnswers> =>
  askWithin(questions, signal, (ask) => askAll(ask, name));

export const askZone = (name: string, questions: DnsQuestions, signal?: AbortSignal): Promise<Answer<Zone>> =>
  askWithin(questions, signal, (ask) => climbZone(ask, name));
