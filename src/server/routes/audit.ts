// The audit log: who did what by hand, to which domains, and when.
import { z } from 'zod';
import { auditRecord, toAuditRecord } from '../../api-records/operations.ts';
import { auditVerbs, isAuditId } from '../../audit/audit.ts';
import { payloadSchemas } from '../../jobs/catalog.ts';
import { route } from './route.ts';

const VERB = `(${auditVerbs.join('|')})`;
const VERBS = new RegExp(`^${VERB}(,${VERB}){0,20}$`);

export const pageLimit = z
  .string()
  .regex(/^[1-9]\d?$|^100$/, 'must be a number from 1 to 100')
  .transform(Number)
  .default(50)
  .meta({ description: 'At most so many, 1 to 100; default: 50' });

export const auditPage = z
  .object({
    entries: z.array(auditRecord),
    nextCursor: z.string().nullable().meta({ description: 'Null: that was all' }),
  })
  .meta({ description: 'A page of the audit log, the newest first' });

export const listAudit = route({
  id: 'listAudit',
  method: 'GET',
  path: '/v1/audit',
  role: 'read',
  summary: 'Who asked for what, and what operators did; the newest first',
  description:
    'Requests of many domains at once are one entry. `who` is what we know of the caller; `for` is what it says.',
  query: z.strictObject({
    cursor: z.string().refine(isAuditId, 'must be the nextCursor of a page').optional(),
    limit: pageLimit,
    domain: payloadSchemas['remove-domain'].shape.domain
      .optional()
      .meta({ description: 'Only entries that name this domain' }),
    what: z
      .string()
      .regex(VERBS, `must be some of ${auditVerbs.join(',')}, with commas between`)
      .transform((text) => text.split(','))
      .optional()
      .meta({
        description: `Only these deeds, with commas between: ${auditVerbs.join(', ')}`,
      }),
  }),
  answer: { status: 200, description: 'A page', schema: auditPage },
  async handler({ query: { cursor, ...filter }, parts: { audit } }) {
    const entries = await audit.list({ ...filter, before: cursor });
    return {
      entries: entries.map(toAuditRecord),
      nextCursor: entries.length === filter.limit ? (entries.at(-1)?.id ?? null) : null,
    };
  },
});
