// What a record says of its www name. Pure.
import type { DomainSettings } from '../runcloud/runcloud.ts';
import { type DesiredPresent, type DomainRecord, hasWww, includesWww } from './domain.ts';

/** www is requested, and we have left it out. A www name that somebody removed in RunCloud's panel is not withheld by us. */
export const isWithheld = (record: Pick<DomainRecord, 'desired' | 'attachedWww' | 'setWww'>): boolean =>
  includesWww(record.desired) && record.setWww === false && !hasWww(record);

/** How a domain is left with or without its www name: without it, nothing redirects to it or from it. */
export const settingsOf = (desired: DesiredPresent, www: boolean): DomainSettings => ({
  www,
  redirection: www || !includesWww(desired) ? desired.redirection : 'none',
});

/** www came along because of our own rule. */
export const isOurRule = ({ desired }: Pick<DomainRecord, 'desired'>): boolean =>
  desired.presence === 'present' && desired.www === 'auto';
