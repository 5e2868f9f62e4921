// The web applications that have one domain: as a list in a sentence, and as JSON. Pure.
import { z } from 'zod';
import type { DomainRecord } from '../domains/domain.ts';
import { actorOf, type Selection } from '../domains/selection.ts';
import { domainSummary } from './domains.ts';

/** One web application that has the name. */
export const place = domainSummary.pick({
  serverId: true,
  appId: true,
  state: true,
  mustAct: true,
  desired: true,
});

export const places = z.array(place).meta({ description: 'The web applications that have the domain' });

export type Place = z.output<typeof place>;

export const toPlace = (record: DomainRecord): Place => ({
  serverId: record.serverId,
  appId: record.appId,
  state: record.state,
  mustAct: actorOf(record) ?? null,
  desired: record.desired,
});

/** `646 (live) and 701 (waiting-for-dns)`; with the servers if they differ. */
export function describeApps(places: readonly Pick<DomainRecord, 'serverId' | 'appId' | 'state'>[]): string {
  const isOneServer = new Set(places.map(({ serverId }) => serverId)).size <= 1;
  const named = places.map(({ serverId, appId, state }) =>
    isOneServer ? `${appId} (${state})` : `${appId} of server ${serverId} (${state})`,
  );
  return named.length < 2
    ? `web application ${named.join()}`
    : `web applications ${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}

/** The selected web application or server, in words. */
export function describeChoice({ serverId, appId }: Selection): string {
  if (appId === undefined) return `server ${serverId}`;
  return `web application ${appId}${serverId === undefined ? '' : ` of server ${serverId}`}`;
}
