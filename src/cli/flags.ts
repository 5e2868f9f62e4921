// --app, --server, --state, --must-act, --search, --site: which domains a command is about.

import { parseId } from '../domains/ids.ts';
import type { Selection } from '../domains/selection.ts';
import { actors, stateNames } from '../domains/states.ts';

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

/** Which web application is named, if any; a sentence where the ids are none. */
export function parseApp({ app, server }: AppFlags): Pick<Selection, 'serverId' | 'appId'> | string {
  const [appId, serverId] = [parseId(app), parseId(server)];
  if ((app !== undefined && appId === undefined) || (server !== undefined && serverId === undefined))
    return "--app and --server take RunCloud's numeric ids, such as 1903";
  return { ...(appId !== undefined && { appId }), ...(serverId !== undefined && { serverId }) };
}

/** What the flags select; a sentence where one of them is wrong. */
export function parseSelection(flags: SelectionFlags): Selection | string {
  const on = parseApp(flags);
  if (typeof on === 'string') return on;
  const inStates = someOf(flags.state, stateNames);
  if (typeof inStates === 'string')
    return `--state must be one of ${stateNames.join(', ')}; got "${inStates}"`;
  const mustAct = someOf(flags.mustAct, actors, { you: 'operator' });
  if (typeof mustAct === 'string') return `--must-act must be one of ${actors.join(', ')}; got "${mustAct}"`;
  return { ...on, states: inStates, mustAct, search: flags.search, siteId: flags.site };
}

/** What a flag names, each alone or in a list with commas; else the first that is not known, as it was typed. */
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

/** `held or failed, customer must act, named "shop"`: what a list was restricted to. */
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
    search !== undefined && `its name holds "${search}"`,
    siteId !== undefined && `site ${siteId}`,
    appId !== undefined && `web application ${appId}`,
    serverId !== undefined && `server ${serverId}`,
  ]
    .filter(Boolean)
    .join(', ');
}
