// All domains, page by page, the newest request first.
import { z } from 'zod';
import { domainSummary, toSummary } from '../../api-records/domains.ts';
import { type DomainKey, type DomainRecord, parseMember } from '../../domains/domain.ts';
import { isNamed, isOn, isSelected, type Selection } from '../../domains/selection.ts';
import { actors, stateNames } from '../../domains/states.ts';
import { payloadSchemas } from '../../jobs/catalog.ts';
import { Refusal } from '../problems.ts';
import { type RouteParts, route } from './route.ts';

/** How many of all domains one request looks at; where few of them match, a page is short, and the cursor goes on. */
const LOOKED_AT = 2000;
const CHUNK = 200;

/** Where a page ended: the time of the last request and its domain. */
interface Position {
  readonly score: string;
  readonly member: string;
}

/** Some of `known`, with commas between. */
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
    .meta({ description: `Only domains in these states, with commas between: ${stateNames.join(', ')}` }),
  mustAct: someOf(actors)
    .optional()
    .meta({ description: `Only domains for which one of these must act: ${actors.join(', ')}` }),
  serverId: serverId.meta({ description: 'Only domains on this server' }),
  appId: appId.meta({ description: 'Only domains on this web application' }),
  site: z.string().min(1).max(100).optional().meta({ description: 'Only domains of this site' }),
  search: z.string().min(1).max(253).optional().meta({ description: 'Only domains whose name holds this' }),
  cursor: z.string().min(1).max(1000).optional().meta({ description: '`nextCursor` of the page before' }),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be a number from 1 to 200')
    .transform(Number)
    .refine((limit) => limit <= CHUNK, 'must be a number from 1 to 200')
    .default(50)
    .meta({ description: 'At most so many domains, 1 to 200; default: 50' }),
});

export const domainPage = z
  .object({
    domains: z.array(domainSummary),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Null: that was all. A page may be short, or empty, and yet have one' }),
  })
  .meta({ description: 'A page of domains' });

export const listDomains = route({
  id: 'listDomains',
  method: 'GET',
  path: '/v1/domains',
  role: 'read',
  summary: 'All domains, the newest request first',
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
    const message = 'must be the nextCursor of a page';
    throw new Refusal('invalid-payload', `cursor: ${message}`, { errors: [{ field: 'cursor', message }] });
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
  let [position, lookedAt] = [after, 0];
  while (lookedAt < LOOKED_AT) {
    const chunk = await nextChunk(redis, requests.keys.all, position);
    const keys = chunk.map(({ member }) => parseMember(member));
    const store = await Promise.all(keys.map((key) => read(requests, key, filter)));
    for (const [i, record] of store.entries()) {
      position = chunk[i];
      if (record) found.push(record);
      if (found.length === limit) return { found, next: position };
    }
    if (chunk.length < CHUNK) return { found, next: undefined };
    lookedAt += chunk.length;
  }
  return { found, next: position };
}

async function read(
  { store }: RouteParts['requests'],
  key: DomainKey,
  filter: Selection,
): Promise<DomainRecord | undefined> {
  // Most of what is not selected need not be read.
  if (!isOn(key, filter) || (filter.search !== undefined && !isNamed(key.domain, filter.search)))
    return undefined;
  const record = await store.get(key);
  return record && isSelected(record, filter) ? record : undefined;
}

/** Up to CHUNK members after `after`, by falling score, and those of one score by falling name, as Redis orders them. */
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
      const isSeen =
        after && score === after.score && Buffer.compare(Buffer.from(member), Buffer.from(after.member)) >= 0;
      if (!isSeen && chunk.length < CHUNK) chunk.push({ score, member });
    }
    if (page.length < 2 * CHUNK) return chunk;
  }
  return chunk;
}
