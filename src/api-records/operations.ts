// Audit entries, pauses and deliveries in the HTTP API and in `--json`. Their fields are API.
import { z } from 'zod';
import type { AuditEntry } from '../audit/audit.ts';
import type { Delivery } from '../callbacks/deliveries.ts';
import type { Pause } from '../queue/pauses.ts';
import { iso, reasonCode, text, time } from './fields.ts';

export const auditRecord = z.object({
  id: z.string(),
  at: time,
  who: z.string(),
  for: text.meta({ description: "On whose behalf, in the caller's own words (`requestedBy`)" }),
  what: z.string(),
  domains: z.array(z.string()).meta({ description: 'The first thousand' }),
  domainCount: z.int(),
  detail: text,
});

export const toAuditRecord = (entry: AuditEntry): z.output<typeof auditRecord> => ({
  ...entry,
  at: iso(entry.at),
  for: entry.for ?? null,
  domains: [...entry.domains],
  detail: entry.detail ?? null,
});

const pausedScope = z.union([
  z.object({ kind: z.literal('all') }),
  z.object({ kind: z.literal('app'), serverId: z.int(), appId: z.int() }),
  z.object({ kind: z.literal('site'), siteId: z.string() }),
]);

export const pauseRecord = z
  .object({
    scope: pausedScope,
    reason: z.string(),
    by: z.string(),
    since: time,
    until: time.meta({ description: 'Null: until somebody resumes it' }),
  })
  .meta({ description: 'An active pause' });

export const toPauseRecord = ({ scope, reason, by, at, untilMs }: Pause): z.output<typeof pauseRecord> => ({
  scope,
  reason,
  by,
  since: iso(at),
  until: iso(untilMs),
});

export const deliveryRecord = z.object({
  id: z.string(),
  messageId: z.string().meta({ description: 'The `webhook-id` that the receiver gets' }),
  type: z.string(),
  url: text.meta({ description: 'Null: no longer configured' }),
  domain: text,
  state: z.enum(['pending', 'delivered', 'failed']),
  attempts: z.int(),
  lastError: text.meta({ description: 'Why the last attempt failed; null once it is delivered' }),
  reasonCode,
  at: time,
});

export const toDeliveryRecord = ({
  url,
  domain,
  lastError,
  reasonCode: code,
  at,
  ...same
}: Delivery): z.output<typeof deliveryRecord> => ({
  ...same,
  url: url ?? null,
  domain: domain ?? null,
  lastError: lastError ?? null,
  reasonCode: code ?? null,
  at: iso(at),
});
