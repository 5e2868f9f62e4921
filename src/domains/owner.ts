// One host name has one owner among the records of a web application: the domain that is to be present, for itself or with its www
// name. Pure: which names belong together, and the error if a name is taken. The decision itself is atomic (owner-scripts.ts).
import { PermanentError } from '../errors.ts';
import type { Desired } from './domain.ts';
import type { DomainName } from './domain-name.ts';
import { isWwwNameOf, wwwWasRequested } from './messages.ts';

/** The www name of a domain. */
export const twinOf = (domain: DomainName): DomainName => `www.${domain}` as DomainName;

/** The domain whose www name this is; undefined if the name does not begin with `www.`. */
export const bareOf = (domain: DomainName): DomainName | undefined =>
  domain.startsWith('www.') ? (domain.slice(4) as DomainName) : undefined;

/** Who has a name: the domain whose www name it is, or the www name for itself. */
export type Owner = 'bare' | 'twin';

/** Rejects a request for `domain`, because `owner` has the host name that it would take. */
export const takenBy = (owner: Owner, domain: DomainName, desired: Desired): PermanentError =>
  new PermanentError(
    'host-name-taken',
    owner === 'bare' ? isWwwNameOf(bareOf(domain) ?? domain, domain, desired) : wwwWasRequested(domain),
  );
