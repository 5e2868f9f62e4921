// Does a name point to our web application, and may Let's Encrypt issue for it? One verdict and one
// sentence. Throws only when aborted. A failed query is `unknown`, not "missing".
import type { DnsFinding, ZoneFinding } from './findings.ts';
import { createReachProbe } from './http.ts';
import { type Challenge, toCaaText } from './judge-caa.ts';
import { type DnsAnswers, findExternal, judgeDns, type Reach, toValues } from './judge-dns.ts';
import { judgeZone } from './judge-zone.ts';
import { parseProbeUrl } from './probe-url.ts';
import { createResolver, queryDns, queryZone } from './queries.ts';
import { toShownName } from './shown-text.ts';

export interface DnsProbeOptions {
  /** DNS servers, with a port or without. Default: the machine's. */
  readonly servers?: readonly string[] | undefined;
  /** See parseProbeUrl: the page that identifies the web application behind a CDN. */
  readonly probeUrl?: string | undefined;
  /** In milliseconds, for one try at one DNS server. */
  readonly timeoutMs?: number | undefined;
  /** In milliseconds, for the probe page at all addresses of a name together. */
  readonly pageTimeoutMs?: number | undefined;
  /** How the names are validated: a CAA record may allow one way only. Default: http-01. */
  readonly challenge?: Challenge | undefined;
  /**
   * Allows the probe page at private and loopback addresses: for networks with a DNS of their own.
   */
  readonly reachPrivate?: boolean | undefined;
}

export interface DnsProbe {
  /** `twin`: the other name of the same domain (`www.` or without), if that is checked as well. */
  check(name: string, expected: readonly string[], signal?: AbortSignal, twin?: string): Promise<DnsFinding>;
  /** Whether dns-01 can validate the name. */
  zone(name: string, signal?: AbortSignal): Promise<ZoneFinding>;
}

const defaultTimeoutMs = 2_000;

/** Of each kind. The owner of a name can make thousands, and no fix needs more. */
const maxRecords = 20;

/**
 * Written to the record at each check. Ours come first, so the cut never removes a right address.
 */
function toObserved(answers: DnsAnswers, expected: readonly string[]): DnsFinding['observed'] {
  const external = new Set(findExternal(answers, expected));
  const oursFirst = (addresses: readonly string[]): readonly string[] => [
    ...addresses.filter((address) => !external.has(address)),
    ...addresses.filter((address) => external.has(address)),
  ];
  const all = {
    a: oursFirst(toValues(answers.a)),
    aaaa: oursFirst(toValues(answers.aaaa)),
    cname: answers.cname,
    caa: answers.caa.kind === 'found' ? answers.caa.value.records : [],
  };
  const more = Object.values(all).reduce((sum, { length }) => sum + Math.max(0, length - maxRecords), 0);
  return {
    a: all.a.slice(0, maxRecords),
    aaaa: all.aaaa.slice(0, maxRecords),
    cname: all.cname.slice(0, maxRecords).map(toShownName),
    caa: all.caa.slice(0, maxRecords).map(toCaaText),
    ...(more > 0 && { more }),
  };
}

/** Throws on a wrong setting: a DNS server that is no address, a probe URL that is none. */
export function createDnsProbe(options: DnsProbeOptions = {}): DnsProbe {
  const settings = { servers: options.servers, timeoutMs: options.timeoutMs ?? defaultTimeoutMs };
  createResolver(settings);
  const reachProbe =
    options.probeUrl === undefined
      ? undefined
      : createReachProbe(parseProbeUrl(options.probeUrl), {
          reachPrivate: options.reachPrivate,
          timeoutMs: options.pageTimeoutMs,
        });

  /** Only at external addresses: elsewhere it decides nothing. */
  async function reach(name: string, external: readonly string[], signal?: AbortSignal): Promise<Reach> {
    if (reachProbe === undefined || external.length === 0) return undefined;
    return reachProbe.reaches(name, external, signal);
  }

  return {
    async check(name, expected, signal, twin) {
      const answers = await queryDns(name, settings, signal);
      const circumstances = { twin, challenge: options.challenge };
      const { verdict } = judgeDns(name, answers, expected, circumstances);
      const isMisdirected = verdict === 'elsewhere' || verdict === 'leftover' || verdict === 'cdn';
      const external = isMisdirected ? findExternal(answers, expected) : [];
      const reached = await reach(name, external, signal);
      const judgement = judgeDns(name, answers, expected, { ...circumstances, reach: reached });
      return { name, ...judgement, expected, observed: toObserved(answers, expected) };
    },
    zone: async (name, signal) => judgeZone(name, await queryZone(name, settings, signal)),
  };
}
