// Who may be to blame for an order that failed: Let's Encrypt refuses the certificate of all for one name, and RunCloud does not say
// which ([C] github.com/rehmatworks/runcloud-letsencrypt/issues/10). Pure.

import { counted } from '../domains/sentences.ts';
import type { Actor } from '../domains/states.ts';
import { toMinute } from '../domains/times.ts';
import type { DnsFinding } from '../probes/findings.ts';
import { isWrong, leadsHere } from '../probes/findings.ts';

/**
 * `wrong`: its DNS is. `unjudged`: it could not be judged (DNS did not answer, a CDN did not, a CAA record binds to an account).
 * `flaps`: right now, and not a while ago. `logged`: RunCloud's log names it, and its DNS looks right. `new`: it was not on the last
 * certificate that was issued.
 */
export type FailureSign = 'wrong' | 'unjudged' | 'flaps' | 'logged' | 'new';

export interface FailingName {
  readonly name: string;
  readonly why: FailureSign;
  readonly sentence: string;
  /** RunCloud's log names it in a line about this failure. Nothing is stronger. */
  readonly isLogged?: true | undefined;
}

/** When names were seen last whose DNS was not right, in milliseconds by Redis' clock. */
export type Unsteady = Readonly<Record<string, number>>;

/** How long a name that was not right counts as flapping. */
export const UNSTEADY_MS = 3_600_000;

const unjudged = ({ name, verdict, sentence, doubt }: DnsFinding): FailingName | undefined => {
  if (verdict === 'unknown' || verdict === 'unchecked') return { name, why: 'unjudged', sentence };
  return doubt === undefined ? undefined : { name, why: 'unjudged', sentence: `${name}: ${doubt}` };
};

/** What can be said before an order: these names may fail it. */
export const findDoubts = (dns: readonly DnsFinding[]): FailingName[] =>
  dns.flatMap((finding) => unjudged(finding) ?? []);

export interface FailedOrder {
  readonly names: readonly string[];
  /** DNS of these names, as it is now. */
  readonly dns: readonly DnsFinding[];
  /** Names of the last certificate that was issued; undefined where nobody knows. */
  readonly issued: readonly string[] | undefined;
  readonly unsteady: Unsteady;
  /** Those that RunCloud's log names since the order. */
  readonly logged: readonly string[];
  readonly now: number;
}

/** Those that RunCloud's log names first, then the strongest suspicions; one for each name. */
export function findFailingNames({ names, dns, issued, unsteady, logged, now }: FailedOrder): FailingName[] {
  const wrong = dns
    .filter(isWrong)
    .map(({ name, sentence }): FailingName => ({ name, why: 'wrong', sentence }));
  const flapping = names.flatMap((name): FailingName[] => {
    const at = unsteady[name];
    if (at === undefined || now - at > UNSTEADY_MS) return [];
    const sentence = `the DNS of ${name} comes and goes: it was not right at ${toMinute(at)}, and is now`;
    return [{ name, why: 'flaps', sentence }];
  });
  const fresh = names
    .filter((name) => issued !== undefined && !issued.includes(name))
    .map((name): FailingName => ({ name, why: 'new', sentence: `${name} was not on the last certificate` }));
  const named = logged.map(
    (name): FailingName => ({ name, why: 'logged', sentence: `RunCloud's log names ${name}` }),
  );
  const all = [...wrong, ...findDoubts(dns), ...flapping, ...named, ...fresh];
  const once = all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
  const isLogged = ({ name }: FailingName): boolean => logged.includes(name);
  const first = once.filter(isLogged).map((failing): FailingName => ({ ...failing, isLogged: true }));
  return [...first, ...once.filter((failing) => !isLogged(failing))];
}

/** What was wrong with a suspect is over: it is right now, and that is no flapping. */
const isCleared =
  (dns: readonly DnsFinding[]) =>
  ({ name, why }: FailingName): boolean => {
    const finding = dns.find((each) => each.name === name);
    const isRight = finding === undefined || (leadsHere(finding) && finding.doubt === undefined);
    return (why === 'wrong' || why === 'unjudged') && isRight;
  };

/** Whether there is no reason any more to wait: of those whose DNS was the reason none is left, nor one that flaps. */
export function areCleared(failingNames: readonly FailingName[], dns: readonly DnsFinding[]): boolean {
  const strong = failingNames.filter(({ why }) => why !== 'new');
  return strong.length > 0 && strong.every(isCleared(dns));
}

/** For the operator: it names all of them, customers' domains. Those that are only new in one breath, since they may be many. */
export function describeFailingNames(failingNames: readonly FailingName[]): string {
  const fresh = failingNames.filter(({ why }) => why === 'new');
  const others = failingNames.filter(({ why }) => why !== 'new').map(({ sentence }) => sentence);
  const names = fresh.map(({ name }) => name).join(', ');
  const all = [
    ...others,
    ...(fresh.length > 1
      ? [`not on the last certificate were ${names}`]
      : fresh.map(({ sentence }) => sentence)),
  ];
  return all.length > 0 ? `; to blame may be: ${all.join('; ')}` : '';
}

/** The same for domains, which it does not name. */
export const describeCount = (failingNames: number): string =>
  failingNames > 0
    ? `; ${counted(failingNames, 'name')} on the shared certificate may be to blame: \`runcloud-domains status\` names ${failingNames === 1 ? 'it' : 'them'}`
    : '';

/** Who has to look into it. To be new is no reason by itself. */
export function actorOf(failingNames: readonly FailingName[]): Actor {
  if (failingNames.some(({ why }) => why === 'wrong')) return 'customer';
  return failingNames.some(({ why }) => why !== 'new') ? 'operator' : 'runcloud';
}
