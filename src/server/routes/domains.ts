// One domain: asked for, its removal asked for, how it stands.
import { z } from 'zod';
import type { DomainName } from '../../intent/domain-name.ts';
import { payloadSchemas } from '../../jobs/catalog.ts';
import type { Receipt } from '../../queue/receipt.ts';
import { toRequestEntry } from '../../queue/request-entries.ts';
import { domainRecord, stage, toRecord } from '../../records/domains.ts';
import { nameOf } from '../auth.ts';
import { Refusal } from '../problems.ts';
import { type RouteParts, route } from './route.ts';

export const addDomain = payloadSchemas['add-domain'];
const { domain, serverId, appId, siteId, requestedBy } = payloadSchemas['remove-domain'].shape;

export const receipt = z
  .object({
    jobId: z.string(),
    domain: z.string().meta({ description: 'In its ASCII form' }),
    serverId: z.int(),
    appId: z.int().meta({ description: 'The web application that was meant' }),
    state: stage,
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
  const intent = await requests.intents.get({ serverId, appId, domain: name });
  return { ...known, state: intent?.stage ?? fresh };
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
  refusals: ['invalid-domain', 'no-web-application', 'host-name-taken'],
  location: toUrl,
  async handler({ raw, caller, parts }) {
    const found = await parts.requests.enqueue('add-domain', raw.body, { by: nameOf(caller) });
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
  refusals: ['invalid-domain', 'no-web-application', 'host-name-taken'],
  location: toUrl,
  async handler({ params, raw, caller, parts }) {
    const payload = { ...raw.query, domain: params.domain };
    const found = await parts.requests.enqueue('remove-domain', payload, { by: nameOf(caller) });
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
    'Its state, since when and why, who must act, what the last look saw, when the next one is, and its history.',
  params: inPath,
  query: z.strictObject({ serverId, appId }),
  answer: { status: 200, description: 'The record', schema: domainRecord },
  refusals: ['invalid-domain', 'no-web-application', 'not-found'],
  async handler({ params, query, parts }) {
    const target = {
      ...(query.serverId !== undefined && { serverId: query.serverId }),
      ...(query.appId !== undefined && { appId: query.appId }),
    };
    const found = await parts.operator.domain(params.domain, target);
    if (found) return toRecord(found);
    throw new Refusal('not-found', `nobody has asked for ${params.domain} on this web application`);
  },
});
