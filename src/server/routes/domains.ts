// One domain: asked for, its removal asked for, how it stands.
import { z } from 'zod';
import { describeApps, describeChoice, toPlace } from '../../api-records/applications.ts';
import { domainRecord, state, toRecord } from '../../api-records/domains.ts';
import type { DomainRecord } from '../../domains/domain.ts';
import type { DomainName } from '../../domains/domain-name.ts';
import { currentOf, type Selection } from '../../domains/selection.ts';
import { payloadSchemas } from '../../jobs/catalog.ts';
import type { Operator } from '../../queue/operator.ts';
import type { Receipt } from '../../queue/receipt.ts';
import { toRequestEntry } from '../../queue/request-entries.ts';
import { nameOf } from '../auth.ts';
import { enqueueAs } from '../open-requests.ts';
import { Refusal } from '../problems.ts';
import { type RouteParts, route } from './route.ts';

export const addDomain = payloadSchemas['add-domain'].extend({
  also: z.boolean().optional().meta({
    description:
      'True: on this web application as well, although another has the domain; default: the request is refused where it names no `appId`',
  }),
});

/** The payload of a job, and whether the caller may be asked which web application is meant. */
export function toAddPayload(body: object): { readonly payload: object; readonly mayAsk: boolean } {
  const { also, ...payload } = body as { also?: unknown };
  return { payload, mayAsk: also !== true };
}
const { domain, serverId, appId, siteId, requestedBy } = payloadSchemas['remove-domain'].shape;

export const receipt = z
  .object({
    jobId: z.string(),
    domain: z.string().meta({ description: 'In its ASCII form' }),
    serverId: z.int(),
    appId: z.int().meta({ description: 'The web application that was meant' }),
    state: state,
    coalesced: z.boolean().meta({ description: 'The same request was on its way already, under this job' }),
    unknownFields: z.array(z.string()).meta({ description: 'Fields that were left out' }),
    remark: z.string().optional().meta({
      description: 'What the caller should know besides: that www gave way to a request of its own',
    }),
  })
  .meta({ description: 'A request that was accepted' });

const inPath = z.object({ domain });

const toUrl = ({ domain: name }: { domain: string }): string => `/v1/domains/${name}`;

/** The receipt with the state that the request has brought about, or found. */
export async function toReceipt(
  { jobId, coalesced, unknownFields, remark, serverId, appId, domain: name = '' as DomainName }: Receipt,
  fresh: 'requested' | 'removing',
  { requests }: RouteParts,
): Promise<z.output<typeof receipt>> {
  const known = {
    jobId,
    domain: name,
    serverId,
    appId,
    coalesced,
    unknownFields: [...unknownFields],
    ...(remark && { remark }),
  };
  // A request that is new stands where every new one stands; only one that met another has to be looked up.
  if (!coalesced) return { ...known, state: fresh };
  const record = await requests.store.get({ serverId, appId, domain: name });
  return { ...known, state: record?.state ?? fresh };
}

export const postDomain = route({
  id: 'addDomain',
  method: 'POST',
  path: '/v1/domains',
  role: 'enqueue',
  summary: 'Ask for a domain',
  description:
    'The domain shall be attached to the web application, and its certificate shall cover it. The answer says that the request is safe, not that it is done; `GET /v1/domains/{domain}` tells. To send the same again is harmless: it is coalesced.',
  body: addDomain,
  answer: { status: 202, description: 'Accepted', schema: receipt },
  refusals: [
    'invalid-domain',
    'no-web-application',
    'host-name-taken',
    'on-another-application',
    'too-many-open',
  ],
  location: toUrl,
  async handler({ raw, caller, parts }) {
    const { payload, mayAsk } = toAddPayload(raw.body as object);
    const found = await enqueueAs(parts, caller, 'add-domain', payload, { mayAsk });
    await parts.audit.record({ who: nameOf(caller), ...toRequestEntry('add-domain', [found]) });
    return toReceipt(found, 'requested', parts);
  },
});

export const deleteDomain = route({
  id: 'removeDomain',
  method: 'DELETE',
  path: '/v1/domains/{domain}',
  role: 'enqueue',
  summary: 'Ask for the removal of a domain',
  description: 'The domain shall be taken off the web application. The newest request for a domain counts.',
  params: inPath,
  query: z.object({ serverId, appId, siteId, requestedBy }),
  answer: { status: 202, description: 'Accepted', schema: receipt },
  refusals: [
    'invalid-domain',
    'no-web-application',
    'host-name-taken',
    'on-another-application',
    'too-many-open',
  ],
  location: toUrl,
  async handler({ params, raw, caller, parts }) {
    const payload = { ...raw.query, domain: params.domain };
    const found = await enqueueAs(parts, caller, 'remove-domain', payload, { mayAsk: true });
    await parts.audit.record({ who: nameOf(caller), ...toRequestEntry('remove-domain', [found]) });
    return toReceipt(found, 'removing', parts);
  },
});

export const getDomain = route({
  id: 'getDomain',
  method: 'GET',
  path: '/v1/domains/{domain}',
  role: 'read',
  summary: 'How a domain stands',
  description:
    'Its state, since when and why, who must act, what the last look saw, when the next one is, and its history. Without `appId` it is looked for on all web applications; one where it was removed counts only where no other has it.',
  params: inPath,
  query: z.strictObject({ serverId, appId }),
  answer: { status: 200, description: 'The record', schema: domainRecord },
  refusals: ['invalid-domain', 'several-applications', 'not-found'],
  async handler({ params, query, parts: { operator } }) {
    const records = await operator.everywhere(params.domain, query);
    const [record, ...others] = currentOf(records);
    if (!record) throw await unknownDomain(params.domain, query, operator);
    if (others.length > 0) throw several(params.domain, [record, ...others]);
    return toRecord(await operator.details(record));
  },
});

async function unknownDomain(name: DomainName, on: Selection, operator: Operator): Promise<Refusal> {
  const owner = await operator.ownerOfTwin(name, on);
  if (owner)
    return new Refusal(
      'not-found',
      `${name} is the www name of ${owner.domain}: GET /v1/domains/${owner.domain}?appId=${owner.appId}`,
    );
  const elsewhere = currentOf(await operator.everywhere(name));
  const where = describeApps(elsewhere);
  const detail =
    elsewhere.length > 0
      ? `nobody has asked for ${name} on ${describeChoice(on)}, but on ${where}`
      : `nobody has asked for ${name}`;
  return new Refusal('not-found', detail);
}

const several = (name: DomainName, records: readonly DomainRecord[]): Refusal =>
  new Refusal(
    'several-applications',
    `${name} is on ${records.length} web applications: ${describeApps(records)}`,
    { applications: records.map(toPlace) },
  );
