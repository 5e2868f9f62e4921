// One host name has one owner among the records of a web application: the domain that is wanted present, for itself or with its www
// name. Pure: which names are twins, and what is said where a name is taken. The decision itself is atomic, in owner-scripts.ts.
import { PermanentError } from '../errors.ts';
import type { Desired } from './domain.ts';
import type { DomainName } from './domain-name.ts';

/** The www name of a domain. */
export const twinOf = (domain: DomainName): DomainName => `www.${domain}` as DomainName;

/** The domain whose www name this is; undefined where the name does not begin with `www.`. */
export const bareOf = (domain: DomainName): DomainName | undefined =>
  domain.startsWith('www.') ? (domain.slice(4) as DomainName) : undefined;

/** Who has a name: the domain whose www name it is, or the www name for itself. */
export type Owner = 'bare' | 'twin';

/** The refusal of a wish for `domain`, because `owner` has the host name that it would take. */
export const takenBy = (owner: Owner, domain: DomainName, desired: Desired): PermanentError =>
  new PermanentError(
    'host-name-taken',
    owner === 'bare' ? hasIt(bareOf(domain) ?? domain, domain, desired) : isApart(domain),
  );

function hasIt(bare: DomainName, domain: DomainName, { presence }: Desired): string {
  const has = `${domain} is the www name of ${bare}, which was asked for with it on this web application`;
  const only = `\`add ${bare} --www=false\` (www: false)`;
  const both = `\`remove ${bare}\``;
  return presence === 'absent'
    ? `${has}, so it is not removed by itself. To take only the www name off, ask for ${only}; to take both off, ${both}.`
    : `${has}, so it is not added by itself as well. To have it by itself, first ask for ${only}, or ${both}.`;
}

const isApart = (domain: DomainName): string =>
  `${twinOf(domain)} was asked for by itself on this web application, so ${domain} cannot have it as its www name. Ask for \`add ${domain} --www=false\` (www: false), or first for \`remove ${twinOf(domain)}\`.`;

/** What is said of a domain that goes without its www name, because that has a record of its own. */
export const withoutTwin = (domain: DomainName): string =>
  `without www: ${twinOf(domain)} was asked for by itself`;

/** RunCloud itself has a name as the www name of another domain; `isKnown`: that one has a record here. */
export function servedBy(
  bare: DomainName,
  { domain, desired }: { domain: DomainName; desired: Desired },
  isKnown: boolean,
): string {
  const has = `${domain} is no domain of its own: RunCloud has it as the www name of ${bare} on this web application`;
  const off = `switch www off for ${bare} in RunCloud`;
  const way = isKnown ? `ask for \`add ${bare} --www=false\` (www: false), or ${off}` : off;
  return desired.presence === 'absent'
    ? `${has}, so it is not removed by itself. To take it off, ${way}.`
    : `${has}. To have it by itself, ${way}.`;
}

/** RunCloud itself has the www name of a domain as a domain of its own. */
export const standsApart = (domain: DomainName): string =>
  `${twinOf(domain)} is a domain of its own on this web application, so ${domain} cannot have it as its www name. Ask for \`add ${domain} --www=false\` (www: false), or first for \`remove ${twinOf(domain)}\`.`;
