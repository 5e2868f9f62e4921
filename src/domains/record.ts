// The record of one domain as Redis has it (a hash of texts), read into a record. Pure.
import { decodeDesired } from './desired.ts';
import type { ByWrite, DomainKey, DomainRecord, Evidence, RequestState } from './domain.ts';

/** Fields and values by turns, as HGETALL gives them to Lua. */
export function toRecord(pairs: string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) record[pairs[i] ?? ''] = pairs[i + 1] ?? '';
  return record;
}

const optionalNumber = (text: string | undefined): number | undefined => (text ? Number(text) : undefined);

const toLife = (fields: Record<string, string>) => ({
  state: (fields.state || 'requested') as DomainRecord['state'],
  stateAt: Number(fields.stateAt ?? fields.requestedAt),
  mustAct: (fields.mustAct || undefined) as DomainRecord['mustAct'],
  attachedAt: Number(fields.attachedAt ?? 0),
  observedAt: Number(fields.observedAt ?? 0),
  attachedWww: fields.attachedWww ? fields.attachedWww === '1' : undefined,
  setWww: fields.setWww ? fields.setWww === '1' : undefined,
  evidence: fields.evidence ? (JSON.parse(fields.evidence) as Evidence) : undefined,
});

// What was under way when its worker died is as unknown as what ended without a reply.
const toLateUntil = (fields: Record<string, string>): DomainRecord['lateUntil'] => {
  const { flight = '' } = fields;
  const [kind, until] = flight.split(' ');
  const of = (own: keyof ByWrite): number =>
    Math.max(Number(fields[`${own}LateUntil`] ?? 0), kind === own ? Number(until) : 0);
  return { attach: of('attach'), change: of('change'), detach: of('detach') };
};

const toWrites = (fields: Record<string, string>) => ({
  wroteAt: Number(fields.wroteAt ?? 0),
  lateUntil: toLateUntil(fields),
  changesTo: fields.changesTo ? fields.changesTo === '1' : undefined,
  shownBy: {
    attach: Number(fields.attachShownBy ?? 0),
    change: Number(fields.changeShownBy ?? 0),
    detach: Number(fields.detachShownBy ?? 0),
  },
  touchedAt: Number(fields.touchedAt ?? 0),
  needsRedeployAfter: (fields.needsRedeployAfter || undefined) as DomainRecord['needsRedeployAfter'],
  attachedId: optionalNumber(fields.attachedId),
});

/** Undefined where there is no record. */
export function toDomainRecord(key: DomainKey, fields: Record<string, string>): DomainRecord | undefined {
  if (!fields.generation || !fields.desired) return undefined;
  const { serverId, appId, domain } = key;
  return {
    serverId,
    appId,
    domain,
    desired: decodeDesired(fields.desired),
    request: fields.request as RequestState,
    ...toLife(fields),
    generation: Number(fields.generation),
    jobId: fields.jobId ?? '',
    requestedAt: Number(fields.requestedAt),
    place: Number(fields.place ?? 0),
    by: fields.by || undefined,
    for: fields.for || undefined,
    siteId: fields.siteId || undefined,
    ...toWrites(fields),
    renewals: Number(fields.renewals ?? 0),
    outcome: fields.outcome || undefined,
    reasonCode: (fields.reasonCode || undefined) as DomainRecord['reasonCode'],
    code: fields.code || undefined,
    outcomeAt: optionalNumber(fields.outcomeAt),
    nextRunAt: optionalNumber(fields.nextRunAt),
  };
}
