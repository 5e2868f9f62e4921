// The certificate of a web application.
import { z } from 'zod';
import { payloadSchemas } from '../../jobs/catalog.ts';
import { nameOf } from '../auth.ts';
import { route } from './route.ts';

const redeploy = z.strictObject(payloadSchemas['redeploy-ssl'].shape);

export const redeployReceipt = z
  .object({
    jobId: z.string(),
    domain: z.string().nullable().meta({ description: 'Null: all domains' }),
    coalesced: z.boolean().meta({ description: 'A redeploy was on its way already, under this job' }),
  })
  .meta({ description: 'A redeploy that was accepted' });

export const postRedeploy = route({
  id: 'redeployCertificate',
  method: 'POST',
  path: '/v1/certificates:redeploy',
  role: 'enqueue',
  summary: 'Have RunCloud issue the certificate anew',
  description: "Spends from Let's Encrypt's limits; what domains need is redeployed without being asked for.",
  body: redeploy,
  isBodyOptional: true,
  answer: { status: 202, description: 'Accepted', schema: redeployReceipt },
  refusals: ['invalid-domain', 'no-web-application'],
  location: ({ jobId }) => `/v1/jobs/${encodeURIComponent(jobId)}`,
  async handler({ raw, caller, parts: { requests, audit } }) {
    const payload = { requestedBy: nameOf(caller), ...(raw.body as object | undefined) };
    const { jobId, domain, coalesced } = await requests.enqueue('redeploy-ssl', payload);
    if (caller.role === 'operate') {
      const domains = domain === undefined ? [] : [domain];
      await audit.record({ who: nameOf(caller), what: 'redeploy', domains, detail: `job ${jobId}` });
    }
    return { jobId, domain: domain ?? null, coalesced };
  },
});
