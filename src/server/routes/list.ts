// All domains, in pages, newest request first.
import { z } from 'zod';
import { domainSummary, toSummary } from '../../api-records/domains.ts';
import { type DomainKey, type DomainRecord, parseMember } from '../../domains/domain.ts';
import { isNamed, isOn, isSelected, type Selection } from '../../domains/selection.ts';
import { actors, stateNames } from '../../domains/states.ts';
import { payloadSchemas } from '../../jobs/catalog.ts';
import { notACursor } from '../messages.ts';
import { Refusal } from '../problems.ts';
import { type RouteParts, route } from './route.ts';

/** How many domains one request reads. If few of them match, the page is short and has a cursor. */
const MAX_READ = 2000;
const CHUNK = 200;

/** The end of a page: the time of the last request and its domain. */
interface Position {
  readonly score: string;
  readonly member: string;
}

/** A comma-separated list of some of `known`. */
const someOf = <T extends string>(known: readonly T[]) =>
  z.string().transform((text, context): T[] => {
    const names = text.split(',').map((name) => name.trim());
    const isKnown = (name: string): name is T => (known as readonly string[]).includes(name);
    if (names.every(isKnown)) return names;
    context.issues.push({ code: 'custom', message: `must be one of ${known.join(', ')}`, input: text });
    return z.NEVER;
  });

const { serverId, appId } = payloadSchemas['remove-domain'].shape;

const query = z.strictObject({
  state: someOf(stateNames)
    .optional()
    .meta({ description: `Only domains in these states, comma-separated: ${stateNames.join(', ')}` }),
  mustAct: someOf(actors)
    .optional()
    .meta({ description: `Only domains for which one of these must act: ${actors.join(', ')}` }),
  serverId: serverId.meta({ description: 'Only domains on this server' }),
  appId: appId.meta({ description: 'Only domains on this web application' }),
  site: z.string().min(1).max(100).optional().meta({ description: 'Only domains of this site' }),
  search: z
    .string()
    .min(1)
    .max(253)
    .optional()
    .meta({ description: 'Only domains whose name contains this' }),
  cursor: z.string().min(1).max(1000).optional().meta({ description: '`nextCursor` of the previous page' }),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be a number from 1 to 200')
    .transform(Number)
    .refine((limit) => limit <= CHUNK, 'must be a number from 1 to 200')
    .default(50)
    .meta({ description: 'Maximum number of domains, 1 to 200. Default: 50.' }),
});

export const domainPage = z
  .object({
    domains: z.array(domainSummary),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Null: this was the last page. Even a short or empty page may have one.' }),
  })
  .meta({ description: 'A page of domains' });

export const listDomains = route({
  id: 'listDomains',
  method: 'GET',
  path: '/v1/domains',
  role: 'read',
  summary: 'List the domains, newest request first',
  query,
  answer: { status: 200, description: 'A page', schema: domainPage },
  async handler({ query: { state, site, cursor, limit, ...others }, parts }) {
    const filter: Selection = { ...others, states: state, siteId: site };
    const { found, next } = await walk(
      parts,
      filter,
      limit,
      cursor === undefined ? undefined : parseCursor(cursor),
    );
    return { domains: found.map(toSummary), nextCursor: next ? toCursor(next) : null };
  },
});

const toCursor = ({ score, member }: Position): string =>
  Buffer.from(JSON.stringify([score, member])).toString('base64url');

function parseCursor(cursor: string): Position {
  try {
    const [score, member] = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { score, member };
  } catch {
    const error = { field: 'cursor', message: notACursor };
    throw new Refusal('invalid-payload', `cursor: ${notACursor}`, { errors: [error] });
  }
}
const position = z.tuple([z.string().regex(/^\d{1,20}$/), z.string().max(400)]);

async function walk(
  { requests, redis }: RouteParts,
  filter: Selection,
  limit: number,
  after: Position | undefined,
): Promise<{ found: DomainRecord[]; next: Position | undefined }> {
  const found: DomainRecord[] = [];
  let [position, count] = [after, 0];
  while (count < MAX_READ) {
    const chunk = await nextChunk(redis, requests.keys.all, position);
    const keys = chunk.map(({ member }) => parseMember(member));
    const store = await Promise.all(keys.map((key) => read(requests, key, filter)));
    for (const [i, record] of store.entries()) {
      position = chunk[i];
      if (record) found.push(record);
      if (found.length === limit) return { found, next: position };
    }
    if (chunk.length < CHUNK) return { found, next: undefined };
    count += chunk.length;
  }
  return { found, next: position };
}

async function read(
  { store }: RouteParts['requests'],
  key: DomainKey,
  filter: Selection,
): Promise<DomainRecord | undefined> {
  // The name and the web application alone exclude most of the others.
  if (!isOn(key, filter) || (filter.search !== undefined && !isNamed(key.domain, filter.search)))
    return undefined;
  const record = await store.get(key);
  return record && isSelected(record, filter) ? record : undefined;
}

/** Up to CHUNK members after `after`, in Redis' order: by falling score, then by falling name. */
async function nextChunk(
  redis: RouteParts['redis'],
  key: string,
  after: Position | undefined,
): Promise<Position[]> {
  const chunk: Position[] = [];
  for (let offset = 0; chunk.length < CHUNK; offset += CHUNK) {
    const from = after?.score ?? '+inf';
    const page = await redis.zrevrangebyscore(key, from, '-inf', 'WITHSCORES', 'LIMIT', offset, CHUNK);
    for (let i = 0; i + 1 < page.length; i += 2) {
      const [member = '', score = ''] = [page[i], page[i + 1]];
      const isBefore =
        after && score === after.score && Buffer.compare(Buffer.from(member), Buffer.from(after.member)) >= 0;
      if (!isBefore && chunk.length < CHUNK) chunk.push({ score, member });
    }
    if (page.length < 2 * CHUNK) return chunk;
  }
  return chunk;
}
