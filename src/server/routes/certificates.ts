// The certificate of a web application.
import { z } from 'zod';
import { payloadSchemas } from '../../jobs/catalog.ts';
import { toRequestEntry } from '../../queue/request-entries.ts';
import { nameOf } from '../auth.ts';
import { enqueueAs } from '../open-requests.ts';
import { route } from './route.ts';

const redeploy = z.strictObject(payloadSchemas['redeploy-ssl'].shape);

export const redeployReceipt = z
  .object({
    jobId: z.string(),
    domain: z.string().nullable().meta({ description: 'Null: all domains' }),
    serverId: z.int(),
    appId: z.int().meta({ description: 'The web application of the request' }),
    coalesced: z.boolean().meta({ description: 'True: this redeploy was already queued, as this job' }),
  })
  .meta({ description: 'An accepted redeploy' });

export const postRedeploy = route({
  id: 'redeployCertificate',
  method: 'POST',
  path: '/v1/certificates:redeploy',
  role: 'enqueue',
  summary: 'Reissue the certificate now',
  description:
    "It counts against Let's Encrypt's limits. Certificates that domains need are issued automatically.",
  body: redeploy,
  isBodyOptional: true,
  answer: { status: 202, description: 'Accepted', schema: redeployReceipt },
  refusals: ['invalid-domain', 'no-web-application', 'on-another-application', 'too-many-open'],
  location: ({ jobId }) => `/v1/jobs/${encodeURIComponent(jobId)}`,
  async handler({ raw, caller, parts }) {
    const found = await enqueueAs(parts, caller, 'redeploy-ssl', raw.body ?? {}, { refuseElsewhere: true });
    await parts.audit.record({ who: nameOf(caller), ...toRequestEntry('redeploy-ssl', [found]) });
    const { jobId, domain = null, serverId, appId, coalesced } = found;
    return { jobId, domain, serverId, appId, coalesced };
  },
});
