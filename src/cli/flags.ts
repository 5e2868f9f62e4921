// Flags that several commands have: --app, --server, --limit, and those that select domains.

import { parseId } from '../domains/ids.ts';
import type { Selection } from '../domains/selection.ts';
import { actors, stateNames } from '../domains/states.ts';
import { BAD_IDS, badChoice, badLimit } from './messages.ts';

export interface AppFlags {
  readonly app?: string | undefined;
  readonly server?: string | undefined;
}

export interface SelectionFlags extends AppFlags {
  /** Each given alone or in a list with commas. */
  readonly state?: readonly string[] | undefined;
  readonly mustAct?: readonly string[] | undefined;
  readonly search?: string | undefined;
  readonly site?: string | undefined;
}

/** From 1 to `max`; a sentence when it is not. */
export function parseLimit(typed: string, max: number): number | string {
  const count = /^\d{1,6}$/.test(typed) ? Number(typed) : 0;
  return count >= 1 && count <= max ? count : badLimit(max);
}

/** The named web application, if any; a sentence when an id is none. */
export function parseApp({ app, server }: AppFlags): Pick<Selection, 'serverId' | 'appId'> | string {
  const [appId, serverId] = [parseId(app), parseId(server)];
  if ((app !== undefined && appId === undefined) || (server !== undefined && serverId === undefined))
    return BAD_IDS;
  return { ...(appId !== undefined && { appId }), ...(serverId !== undefined && { serverId }) };
}

/** What the flags select; a sentence when one of them is wrong. */
export function parseSelection(flags: SelectionFlags): Selection | string {
  const on = parseApp(flags);
  if (typeof on === 'string') return on;
  const inStates = someOf(flags.state, stateNames);
  if (typeof inStates === 'string') return badChoice('--state', stateNames, inStates);
  const mustAct = someOf(flags.mustAct, actors, { you: 'operator' });
  if (typeof mustAct === 'string') return badChoice('--must-act', actors, mustAct);
  return { ...on, states: inStates, mustAct, search: flags.search, siteId: flags.site };
}

/**
 * The values of a flag, each alone or in a list with commas; else the first unknown one, as typed.
 */
export function someOf<T extends string>(
  typed: readonly string[] | undefined,
  known: readonly T[],
  also: Readonly<Record<string, T>> = {},
): readonly T[] | string | undefined {
  const names = typed?.flatMap((text) => text.split(',')).map((text) => text.trim());
  const found: T[] = [];
  for (const name of names ?? []) {
    const meant = known.find((each) => each === name) ?? also[name];
    if (meant === undefined) return name;
    found.push(meant);
  }
  return names && found;
}

/** `held or failed, customer must act, name contains "shop"` */
export function describeSelection({
  states: inStates,
  mustAct,
  search,
  siteId,
  appId,
  serverId,
}: Selection): string {
  return [
    inStates?.join(' or '),
    mustAct && `${mustAct.join(' or ')} must act`,
    search !== undefined && `name contains "${search}"`,
    siteId !== undefined && `site ${siteId}`,
    appId !== undefined && `web application ${appId}`,
    serverId !== undefined && `server ${serverId}`,
  ]
    .filter(Boolean)
    .join(', ');
}
