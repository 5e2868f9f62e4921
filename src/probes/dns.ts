// Does a name lead to our web application, and may Let's Encrypt issue for it? Looks, and says so in one sentence.
// Never throws except when aborted; what could not be asked is `unknown`, not "missing".
import type { DnsFinding, ZoneFinding } from './findings.ts';
import { createReachProbe } from './http.ts';
import { type Challenge, toCaaText } from './judge-caa.ts';
import { type DnsAnswers, findExternal, judgeDns, type Reach, toValues } from './judge-dns.ts';
import { judgeZone } from './judge-zone.ts';
import { parseProbeUrl } from './probe-url.ts';
import { askDns, askZone, createResolver } from './questions.ts';
import { toShownName } from './shown-text.ts';

export interface DnsProbeOptions {
  /** Whom to ask, with a port or without; without any, whom the machine asks. */
  readonly servers?: readonly string[] | undefined;
  /** See parseProbeUrl: the page by which a name behind a CDN is known. */
  readonly probeUrl?: string | undefined;
  /** For one try at one DNS server. */
  readonly timeoutMs?: number | undefined;
  /** For the probe page, at all addresses of a name together. */
  readonly pageTimeoutMs?: number | undefined;
  /** How the names are validated: a CAA record may allow one way only; default http-01. */
  readonly challenge?: Challenge | undefined;
  /** Lets the probe page be asked for at private and loopback addresses: for networks whose DNS is nobody else's. */
  readonly reachPrivate?: boolean | undefined;
}

export interface DnsProbe {
  /** `twin`: the other name of the same domain (`www.` or without), where that is asked about as well. */
  check(name: string, expected: readonly string[], signal?: AbortSignal, twin?: string): Promise<DnsFinding>;
  /** Whether dns-01 can validate the name. */
  zone(name: string, signal?: AbortSignal): Promise<ZoneFinding>;
}

const defaultTimeoutMs = 2_000;

/** Of each kind. Nobody needs more to mend a name, and whoever owns it can make it thousands. */
const maxRecords = 20;

/** The record is written at each look. Ours come first, so that what is cut is never what is right. */
function toSeen(answers: DnsAnswers, expected: readonly string[]): DnsFinding['observed'] {
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

/** Throws where a setting is wrong: a DNS server that is no address, a probe URL that cannot be used. */
export function createDnsProbe(options: DnsProbeOptions = {}): DnsProbe {
  const questions = { servers: options.servers, timeoutMs: options.timeoutMs ?? defaultTimeoutMs };
  createResolver(questions);
  const reachProbe =
    options.probeUrl === undefined
      ? undefined
      : createReachProbe(parseProbeUrl(options.probeUrl), {
          reachPrivate: options.reachPrivate,
          timeoutMs: options.pageTimeoutMs,
        });

  /** Asked only where it decides something: at addresses that are not ours. */
  async function reach(name: string, external: readonly string[], signal?: AbortSignal): Promise<Reach> {
    if (reachProbe === undefined || external.length === 0) return undefined;
    return reachProbe.reaches(name, external, signal);
  }

  return {
    async check(name, expected, signal, twin) {
      const answers = await askDns(name, questions, signal);
      const circumstances = { twin, challenge: options.challenge };
      const { verdict } = judgeDns(name, answers, expected, circumstances);
      const isMisled = verdict === 'elsewhere' || verdict === 'leftover' || verdict === 'cdn';
      const external = isMisled ? findExternal(answers, expected) : [];
      const seen = await reach(name, external, signal);
      const judgement = judgeDns(name, answers, expected, { ...circumstances, reach: seen });
      return { name, ...judgement, expected, observed: toSeen(answers, expected) };
    },
    zone: async (name, signal) => judgeZone(name, await askZone(name, questions, signal)),
  };
}
