// One domain: add it, remove it, get its status.
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
import { onSeveral, unknownDomain, unknownDomainOn, wwwNameOf } from '../messages.ts';
import { enqueueAs } from '../open-requests.ts';
import { Refusal } from '../problems.ts';
import { type RouteParts, route } from './route.ts';

export const addDomain = payloadSchemas['add-domain'].extend({
  also: z.boolean().optional().meta({
    description:
      'True: add it to this web application even if another one has it. Default: such a request is refused unless it names an `appId`.',
  }),
});

/**
 * The payload of a job. `refuseElsewhere`: the request is refused if another web application has the domain.
 */
export function toAddPayload(body: object): { readonly payload: object; readonly refuseElsewhere: boolean } {
  const { also, ...payload } = body as { also?: unknown };
  return { payload, refuseElsewhere: also !== true };
}
const { domain, serverId, appId, siteId, requestedBy } = payloadSchemas['remove-domain'].shape;

export const receipt = z
  .object({
    jobId: z.string(),
    domain: z.string().meta({ description: 'In its ASCII form' }),
    serverId: z.int(),
    appId: z.int().meta({ description: 'The web application of the request' }),
    state: state,
    coalesced: z.boolean().meta({ description: 'True: the same request was already queued, as this job' }),
    unknownFields: z.array(z.string()).meta({ description: 'Unknown fields, which were ignored' }),
    remark: z.string().optional().meta({
      description: 'A note for the caller: www is not included, since somebody requested it separately',
    }),
  })
  .meta({ description: 'An accepted request' });

const inPath = z.object({ domain });

const toUrl = ({ domain: name }: { domain: string }): string => `/v1/domains/${name}`;

/** The receipt with the state of the domain after the request. */
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
  // Every new request has the same state. Only that of a coalesced one has to be read.
  if (!coalesced) return { ...known, state: fresh };
  const record = await requests.store.get({ serverId, appId, domain: name });
  return { ...known, state: record?.state ?? fresh };
}

export const postDomain = route({
  id: 'addDomain',
  method: 'POST',
  path: '/v1/domains',
  role: 'enqueue',
  summary: 'Add a domain',
  description:
    'Attaches the domain to the web application and gets a certificate for it. 202 means that the request is stored, not finished: `GET /v1/domains/{domain}` shows its status. Sending the same request again is harmless.',
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
    const { payload, refuseElsewhere } = toAddPayload(raw.body as object);
    const found = await enqueueAs(parts, caller, 'add-domain', payload, { refuseElsewhere });
    await parts.audit.record({ who: nameOf(caller), ...toRequestEntry('add-domain', [found]) });
    return toReceipt(found, 'requested', parts);
  },
});

export const deleteDomain = route({
  id: 'removeDomain',
  method: 'DELETE',
  path: '/v1/domains/{domain}',
  role: 'enqueue',
  summary: 'Remove a domain',
  description:
    'Detaches the domain from the web application. 202 means that the request is stored, not finished. The newest request for a domain wins.',
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
    const found = await enqueueAs(parts, caller, 'remove-domain', payload, { refuseElsewhere: true });
    await parts.audit.record({ who: nameOf(caller), ...toRequestEntry('remove-domain', [found]) });
    return toReceipt(found, 'removing', parts);
  },
});

export const getDomain = route({
  id: 'getDomain',
  method: 'GET',
  path: '/v1/domains/{domain}',
  role: 'read',
  summary: 'Get the status of a domain',
  description:
    'Its state with the reason, who must act, the DNS records to set, the last and the next check, and its history. Without `appId` all web applications are searched. A removed domain is shown only if no web application has it.',
  params: inPath,
  query: z.strictObject({ serverId, appId }),
  answer: { status: 200, description: 'The record', schema: domainRecord },
  refusals: ['invalid-domain', 'several-applications', 'not-found'],
  async handler({ params, query, parts: { operator } }) {
    const records = await operator.everywhere(params.domain, query);
    const [record, ...others] = currentOf(records);
    if (!record) throw await notFound(params.domain, query, operator);
    if (others.length > 0) throw ambiguous(params.domain, [record, ...others]);
    return toRecord(await operator.details(record));
  },
});

async function notFound(name: DomainName, on: Selection, operator: Operator): Promise<Refusal> {
  const owner = await operator.ownerOfTwin(name, on);
  if (owner) return new Refusal('not-found', wwwNameOf(name, owner.domain, owner.appId));
  const elsewhere = currentOf(await operator.everywhere(name));
  if (elsewhere.length === 0) return new Refusal('not-found', unknownDomain(name));
  const detail = unknownDomainOn(name, describeChoice(on), describeApps(elsewhere));
  return new Refusal('not-found', detail);
}

const ambiguous = (name: DomainName, records: readonly DomainRecord[]): Refusal =>
  new Refusal('several-applications', onSeveral(name, records.length, describeApps(records)), {
    applications: records.map(toPlace),
  });
