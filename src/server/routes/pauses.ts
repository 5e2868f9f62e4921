// Pauses: no jobs run for everything, one web application or one site. A pause has a reason and may
// have an end.
import { z } from 'zod';
import { pauseRecord, toPauseRecord } from '../../api-records/operations.ts';
import { type TargetDefaults, toApp } from '../../jobs/catalog.ts';
import { describeScope, type PauseScope } from '../../queue/pauses.ts';
import { nameOf } from '../auth.ts';
import { notInFuture, pauseReasonRequired, scopeFormat } from '../messages.ts';
import { Refusal } from '../problems.ts';
import { route } from './route.ts';

const id = z.coerce.number('must be a number').int().positive();
const siteId = z.string().min(1).max(100);

const scope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({
    kind: z.literal('app'),
    serverId: z.int().positive().optional(),
    appId: z.int().positive().optional(),
  }),
  z.strictObject({ kind: z.literal('site'), siteId }),
]);

/** Default: the configured web application. */
function toScope(given: z.output<typeof scope>, defaults: TargetDefaults): PauseScope {
  return given.kind === 'app' ? { kind: 'app', ...toApp(given, defaults) } : given;
}

export const postPause = route({
  id: 'pause',
  method: 'POST',
  path: '/v1/pauses',
  role: 'operate',
  summary: 'Pause everything, one web application or one site',
  description:
    'Requests are still accepted; their jobs run after the pause. A pause of the same scope is replaced.',
  body: z.strictObject({
    scope: scope.default({ kind: 'all' }),
    reason: z
      .string()
      .max(300)
      .refine((text) => text.trim() !== '', pauseReasonRequired),
    until: z.iso
      .datetime({ offset: true })
      .refine((text) => Date.parse(text) > Date.now(), notInFuture)
      .optional()
      .meta({ description: 'When it ends automatically. Default: when somebody resumes it.' }),
  }),
  answer: { status: 200, description: 'The active pause', schema: pauseRecord },
  refusals: ['no-web-application'],
  async handler({ body: { scope: given, reason, until }, caller, parts: { pauses, audit, defaults } }) {
    const paused = toScope(given, defaults);
    const untilMs = until === undefined ? undefined : Date.parse(until);
    const pause = await pauses.pause({ scope: paused, reason, by: nameOf(caller), untilMs });
    const detail = `${describeScope(paused)}${until === undefined ? '' : ` until ${until}`}: ${reason}`;
    await audit.record({ who: nameOf(caller), what: 'pause', detail });
    return toPauseRecord(pause);
  },
});

export const deletePause = route({
  id: 'resume',
  method: 'DELETE',
  path: '/v1/pauses',
  role: 'operate',
  summary: 'End a pause',
  description:
    'Ends the pause of exactly this scope. A wider pause stays active. Default: the pause of everything.',
  query: z.strictObject({
    kind: z.enum(['all', 'app', 'site']).default('all'),
    serverId: id.optional(),
    appId: id.optional(),
    siteId: siteId.optional(),
  }),
  answer: {
    status: 200,
    description: 'The pause that ended; null: there was none',
    schema: z.object({ resumed: pauseRecord.nullable() }),
  },
  refusals: ['no-web-application'],
  async handler({ query, caller, parts: { pauses, audit, defaults } }) {
    const ended = toScope(parseScope(query), defaults);
    const pause = await pauses.resume(ended);
    if (pause) await audit.record({ who: nameOf(caller), what: 'resume', detail: describeScope(ended) });
    return { resumed: pause ? toPauseRecord(pause) : null };
  },
});

/** Throws Refusal if the query has fields that do not belong to its kind. */
function parseScope(query: object): z.output<typeof scope> {
  const { success, data } = scope.safeParse(query);
  if (success) return data;
  const error = { field: 'kind', message: scopeFormat };
  throw new Refusal('invalid-payload', `kind: ${scopeFormat}`, { errors: [error] });
}

export const listPauses = route({
  id: 'listPauses',
  method: 'GET',
  path: '/v1/pauses',
  role: 'read',
  summary: 'List the active pauses, widest first',
  query: z.strictObject({}),
  answer: {
    status: 200,
    description: 'All active pauses',
    schema: z.object({ pauses: z.array(pauseRecord) }),
  },
  handler: async ({ parts }) => ({ pauses: (await parts.pauses.list()).map(toPauseRecord) }),
});
