// A request that names no web application means the configured one. Where another has the name, that may be a mistake which attaches a
// domain a second time, or leaves it where it is: whoever asks by hand or over the API is asked which one he means. Pure.

import type { DomainRecord } from '../domains/domain.ts';
import type { DomainName } from '../domains/domain-name.ts';
import { namesOf } from '../domains/names.ts';
import { bareOf } from '../domains/owner.ts';
import { namesOfDesired } from '../domains/taken.ts';
import { PermanentError } from '../errors.ts';
import type { JobName } from '../jobs/catalog.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';

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
  /** Its www name is asked for too. */
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
  // What is asked for here already is a repetition, which is always harmless.
  const isRepetition = desired.some((record) => isHere(record) && record.domain === meant.domain);
  if (meant.name === 'add-domain' && isRepetition) return undefined;
  return new ElsewhereError(toSentence(meant, desired, others), meant, desired);
}

function toSentence(
  { domain, appId }: Meant,
  desired: readonly DomainRecord[],
  others: readonly DomainRecord[],
): string {
  const places = others
    .map((other) => `${other.appId} (${other.state}${relation(other, domain)})`)
    .join(' and ');
  const here = others.length < desired.length ? `${appId} and on ` : '';
  return `${domain} is on web application ${here}${places}; nothing was done: name the one that you mean`;
}

const relation = (other: DomainRecord, domain: DomainName): string =>
  other.domain === domain
    ? ''
    : bareOf(domain) === other.domain
      ? `, as the www name of ${other.domain}`
      : `, by its www name ${other.domain}`;
