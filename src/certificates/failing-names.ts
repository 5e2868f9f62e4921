// Which names may have failed an order. One name that Let's Encrypt rejects fails the certificate of all, and RunCloud does not say
// which ([C] github.com/rehmatworks/runcloud-letsencrypt/issues/10). Pure.

import type { Actor } from '../domains/states.ts';
import { type DnsFinding, isWrong, leadsHere } from '../probes/findings.ts';
import { flapping, namedInLog, notOnLast } from './messages.ts';

/**
 * `wrong`: its DNS is. `unjudged`: nobody can tell (DNS or a CDN did not answer, or a CAA record binds to an account). `flaps`: right
 * now, wrong a while ago. `logged`: RunCloud's log names it, and its DNS is right. `new`: not on the last certificate that was issued.
 */
export type FailureSign = 'wrong' | 'unjudged' | 'flaps' | 'logged' | 'new';

export interface FailingName {
  readonly name: string;
  readonly why: FailureSign;
  readonly sentence: string;
  /** RunCloud's log names it in a line about this failure. No sign is stronger. */
  readonly isLogged?: true | undefined;
}

/** Names whose DNS was not right lately: when it was observed last, in milliseconds by Redis' clock. */
export type Unsteady = Readonly<Record<string, number>>;

/** How long a name that was not right counts as flapping. */
export const UNSTEADY_MS = 3_600_000;

const unjudged = ({ name, verdict, sentence, doubt }: DnsFinding): FailingName | undefined => {
  if (verdict === 'unknown' || verdict === 'unchecked') return { name, why: 'unjudged', sentence };
  return doubt === undefined ? undefined : { name, why: 'unjudged', sentence: `${name}: ${doubt}` };
};

/** Known before an order: these names may fail it. */
export const findDoubts = (dns: readonly DnsFinding[]): FailingName[] =>
  dns.flatMap((finding) => unjudged(finding) ?? []);

export interface FailedOrder {
  readonly names: readonly string[];
  /** Their DNS as it is now. */
  readonly dns: readonly DnsFinding[];
  /** Names of the last certificate that was issued; undefined: nobody knows. */
  readonly issued: readonly string[] | undefined;
  readonly unsteady: Unsteady;
  /** Names that RunCloud's log has since the order. */
  readonly logged: readonly string[];
  readonly now: number;
}

/** Logged names first, then the strongest signs; one entry for each name. */
export function findFailingNames({ names, dns, issued, unsteady, logged, now }: FailedOrder): FailingName[] {
  const wrong = dns
    .filter(isWrong)
    .map(({ name, sentence }): FailingName => ({ name, why: 'wrong', sentence }));
  const flaps = names.flatMap((name): FailingName[] => {
    const at = unsteady[name];
    if (at === undefined || now - at > UNSTEADY_MS) return [];
    return [{ name, why: 'flaps', sentence: flapping(name, at) }];
  });
  const fresh = names
    .filter((name) => issued !== undefined && !issued.includes(name))
    .map((name): FailingName => ({ name, why: 'new', sentence: notOnLast(name) }));
  const named = logged.map((name): FailingName => ({ name, why: 'logged', sentence: namedInLog(name) }));
  const all = [...wrong, ...findDoubts(dns), ...flaps, ...named, ...fresh];
  const once = all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
  const isLogged = ({ name }: FailingName): boolean => logged.includes(name);
  const first = once.filter(isLogged).map((failing): FailingName => ({ ...failing, isLogged: true }));
  return [...first, ...once.filter((failing) => !isLogged(failing))];
}

/** What was wrong with the name is over: its DNS is right now, and does not flap. */
const isCleared =
  (dns: readonly DnsFinding[]) =>
  ({ name, why }: FailingName): boolean => {
    const finding = dns.find((each) => each.name === name);
    const isRight = finding === undefined || (leadsHere(finding) && finding.doubt === undefined);
    return (why === 'wrong' || why === 'unjudged') && isRight;
  };

/** Nothing is left to wait for: DNS was the cause, and all of it is right now. */
export function areCleared(failingNames: readonly FailingName[], dns: readonly DnsFinding[]): boolean {
  const strong = failingNames.filter(({ why }) => why !== 'new');
  return strong.length > 0 && strong.every(isCleared(dns));
}

/** Who must act. To be new alone is no cause. */
export function actorOf(failingNames: readonly FailingName[]): Actor {
  if (failingNames.some(({ why }) => why === 'wrong')) return 'customer';
  return failingNames.some(({ why }) => why !== 'new') ? 'operator' : 'runcloud';
}
