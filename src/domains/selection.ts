// Which records are meant: of one name on several web applications, and of all names in a list. Pure.
import { domainToASCII } from 'node:url';
import type { WebApplication } from '../runcloud/runcloud.ts';
import type { DomainRecord } from './domain.ts';
import { type Actor, type DomainState, states } from './states.ts';

/** What a list shows; what is left out restricts nothing. */
export interface Selection extends Partial<{ readonly [Id in keyof WebApplication]: number | undefined }> {
  readonly states?: readonly DomainState[] | undefined;
  readonly mustAct?: readonly Actor[] | undefined;
  readonly siteId?: string | undefined;
  /** A part of the name, in any case, Unicode or not. */
  readonly search?: string | undefined;
}

/** Who must act: whom the record names, else the actor of its state. */
export const actorOf = ({ mustAct, state }: Pick<DomainRecord, 'mustAct' | 'state'>): Actor | undefined =>
  mustAct ?? states[state].actor;

export const isOn = (app: WebApplication, { serverId, appId }: Selection): boolean =>
  (serverId === undefined || app.serverId === serverId) && (appId === undefined || app.appId === appId);

/** Whether a name contains what was typed: `Bücher` finds `xn--bcher-kva`. */
export function isNamed(domain: string, search: string): boolean {
  const text = search.toLowerCase();
  return domain.includes(text) || domain.includes(domainToASCII(text) || text);
}

export function isSelected(record: DomainRecord, selection: Selection): boolean {
  const { states, mustAct, siteId, search } = selection;
  const actor = actorOf(record);
  return (
    isOn(record, selection) &&
    (states === undefined || states.includes(record.state)) &&
    (mustAct === undefined || (actor !== undefined && mustAct.includes(actor))) &&
    (siteId === undefined || record.siteId === siteId) &&
    (search === undefined || isNamed(record.domain, search))
  );
}

/** Of the records of one name, the newest first: those that count. A removed one counts only if no other is left. */
export function currentOf(records: readonly DomainRecord[]): readonly DomainRecord[] {
  const left = records.filter(({ state }) => !states[state].isGone);
  return left.length > 0 ? left : records.slice(0, 1);
}
