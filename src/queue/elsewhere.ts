// A request without a web application means the configured one. If another one has the name, this may be a mistake: the
// domain would be attached twice, or stay where it is. Then the request must name the web application. Pure.

import type { DomainRecord } from '../domains/domain.ts';
import type { DomainName } from '../domains/domain-name.ts';
import { namesOf } from '../domains/names.ts';
import { bareOf } from '../domains/owner.ts';
import { namesOfDesired } from '../domains/taken.ts';
import { PermanentError } from '../errors.ts';
import type { JobName } from '../jobs/catalog.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';
import * as messages from './messages.ts';

/** The refusal: on which web applications the name is. */
export class ElsewhereError extends PermanentError {
  readonly meant: Meant;
  readonly applications: readonly DomainRecord[];
  constructor(message: string, meant: Meant, applications: readonly DomainRecord[]) {
    super('on-another-application', message);
    this.meant = meant;
    this.applications = applications;
  }
}

export interface Meant extends WebApplication {
  readonly name: JobName;
  readonly domain: DomainName;
  /** Its www name is requested too. */
  readonly www: boolean;
}

/** Undefined where the request can only mean what it says. `records`: of that name and of its namesakes, on all web applications. */
export function judgeElsewhere(meant: Meant, records: readonly DomainRecord[]): ElsewhereError | undefined {
  const names = namesOf([{ name: meant.domain, www: meant.www }]);
  const desired = records.filter(
    (record) =>
      record.desired.presence === 'present' && namesOfDesired(record).some((name) => names.includes(name)),
  );
  const isHere = ({ serverId, appId }: WebApplication): boolean =>
    serverId === meant.serverId && appId === meant.appId;
  const others = desired.filter((record) => !isHere(record));
  if (others.length === 0) return undefined;
  // A repeated request is always harmless.
  const isRepetition = desired.some((record) => isHere(record) && record.domain === meant.domain);
  if (meant.name === 'add-domain' && isRepetition) return undefined;
  return new ElsewhereError(messages.elsewhere(placesOf(meant, desired, others)), meant, desired);
}

const placesOf = (
  { domain, appId }: Meant,
  desired: readonly DomainRecord[],
  others: readonly DomainRecord[],
): messages.Places => ({
  domain,
  here: others.length < desired.length ? appId : undefined,
  others: others.map((other) => ({ appId: other.appId, state: other.state, as: relation(other, domain) })),
});

const relation = (other: DomainRecord, domain: DomainName): messages.Places['others'][number]['as'] =>
  other.domain === domain ? undefined : { domain: other.domain, isItsWww: bareOf(domain) === other.domain };
