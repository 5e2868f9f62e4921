// The audit log: who did what, to which domains, and when.
import { z } from 'zod';
import { auditRecord, toAuditRecord } from '../../api-records/operations.ts';
import { auditVerbs, isAuditId } from '../../audit/audit.ts';
import { payloadSchemas } from '../../jobs/catalog.ts';
import { notACursor } from '../messages.ts';
import { route } from './route.ts';

const VERB = `(${auditVerbs.join('|')})`;
const VERBS = new RegExp(`^${VERB}(,${VERB}){0,20}$`);

export const pageLimit = z
  .string()
  .regex(/^[1-9]\d?$|^100$/, 'must be a number from 1 to 100')
  .transform(Number)
  .default(50)
  .meta({ description: 'Maximum number of entries, 1 to 100. Default: 50.' });

export const auditPage = z
  .object({
    entries: z.array(auditRecord),
    nextCursor: z.string().nullable().meta({ description: 'Null: this was the last page' }),
  })
  .meta({ description: 'A page of the audit log, newest first' });

export const listAudit = route({
  id: 'listAudit',
  method: 'GET',
  path: '/v1/audit',
  role: 'read',
  summary: 'List the requests of callers and the actions of operators, newest first',
  description:
    'A request for many domains is one entry. `who` is the verified caller. `for` is what the caller itself said.',
  query: z.strictObject({
    cursor: z.string().refine(isAuditId, notACursor).optional(),
    limit: pageLimit,
    domain: payloadSchemas['remove-domain'].shape.domain
      .optional()
      .meta({ description: 'Only entries that name this domain' }),
    what: z
      .string()
      .regex(VERBS, `must be a comma-separated list of ${auditVerbs.join(', ')}`)
      .transform((text) => text.split(','))
      .optional()
      .meta({
        description: `Only these actions, comma-separated: ${auditVerbs.join(', ')}`,
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
