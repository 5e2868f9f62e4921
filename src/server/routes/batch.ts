// Many domains in one request, with a result for each.
import { z } from 'zod';
import { CodedError, hasCode } from '../../errors.ts';
import { inOrder } from '../../queue/in-order.ts';
import type { Receipt } from '../../queue/receipt.ts';
import { toRequestEntry } from '../../queue/request-entries.ts';
import { type Caller, nameOf } from '../auth.ts';
import { batchTimeout, notJson, tooManyLines } from '../messages.ts';
import { enqueueAs } from '../open-requests.ts';
import { withRoutesBelow } from '../prefix.ts';
import { type Problem, problemDocument, problemOf, Refusal, refusalOf, toRefusal } from '../problems.ts';
import { addDomain, receipt, toAddPayload, toReceipt } from './domains.ts';
import { LONG_DEADLINE_MS, type RouteParts, route } from './route.ts';

export const MAX_LINES = 1000;
/** A line that is not JSON. */
export class BadLine {}

const lineResult = z.union([
  z.object({ line: z.int(), status: z.literal(202), ...receipt.shape }),
  z.object({ line: z.int(), status: z.int(), problem: problemDocument }),
]);

export const batchResult = z
  .object({
    accepted: z.int(),
    refused: z.int(),
    results: z.array(lineResult).meta({ description: 'One per line, in the same order' }),
  })
  .meta({ description: 'The result of each line' });

type LineResult = z.output<typeof lineResult>;

export const postBatch = route({
  id: 'addDomains',
  method: 'POST',
  path: '/v1/domains:batch',
  role: 'enqueue',
  summary: `Add up to ${MAX_LINES} domains`,
  description:
    'A JSON array, or one JSON object per line (`application/x-ndjson`). Each entry is a body of `POST /v1/domains` and has its own result. A wrong line does not affect the others. Single requests go first in the queue. Sending the same batch again is harmless.',
  body: z.array(z.unknown()).meta({ description: 'The domains' }),
  takesLines: true,
  answer: { status: 200, description: 'The result of each line', schema: batchResult },
  refusals: ['payload-too-large'],
  deadlineMs: LONG_DEADLINE_MS,
  cost: (lines) => Math.min(lines.length, MAX_LINES),
  isKept: ({ accepted, results }) =>
    accepted > 0 && !results.some(({ status }) => status === 429 || status >= 500),
  async handler({ body, caller, parts, prefix }) {
    if (body.length > MAX_LINES) throw new Refusal('payload-too-large', tooManyLines(MAX_LINES, body.length));
    const found: Receipt[] = [];
    const results = (await enqueueAll(body, caller, parts, found)).map((result) => below(prefix, result));
    if (found.length > 0)
      await parts.audit.record({ who: nameOf(caller), ...toRequestEntry('add-domain', found) });
    const accepted = results.filter(({ status }) => status === 202).length;
    return { accepted, refused: results.length - accepted, results };
  },
});

const below = (prefix: string, result: LineResult): LineResult => {
  if (!('problem' in result)) return result;
  const { detail, fix } = result.problem;
  const adapted = { detail: withRoutesBelow(prefix, detail), fix: withRoutesBelow(prefix, fix) };
  return { ...result, problem: { ...result.problem, ...adapted } };
};

async function enqueueAll(
  lines: readonly unknown[],
  caller: Caller,
  parts: RouteParts,
  accepted: Receipt[],
): Promise<LineResult[]> {
  // After the first error of Redis no other line waits for it.
  let away: CodedError | undefined;
  const deadline = performance.now() + LONG_DEADLINE_MS * 0.9;
  const enqueue = async (input: unknown): Promise<Unnumbered> => {
    if (performance.now() > deadline) away ??= new CodedError('redis-unavailable', batchTimeout);
    const receipt = await enqueueLine(input, caller, parts, away);
    accepted.push(receipt);
    return { status: 202, ...(await toReceipt(receipt, 'requested', parts)) };
  };
  return inOrder(lines, async (input, i) => {
    const result = await enqueue(input).catch((error: unknown) => {
      if (hasCode(error, 'redis-unavailable', 'redis-no-permission')) away ??= error;
      return toProblem(error);
    });
    return { line: i + 1, ...result };
  });
}

type Unnumbered = { status: number; problem: Problem } | ({ status: 202 } & z.output<typeof receipt>);

async function enqueueLine(
  input: unknown,
  caller: Caller,
  parts: RouteParts,
  away: CodedError | undefined,
): Promise<Receipt> {
  if (input instanceof BadLine) throw new Refusal('bad-request', notJson);
  const { success, error } = addDomain.safeParse(input);
  if (!success) throw refusalOf(error.issues);
  if (away) throw away;
  const { payload, refuseElsewhere } = toAddPayload(input as object);
  return enqueueAs(parts, caller, 'add-domain', payload, { bulk: true, refuseElsewhere });
}

/** A bug is the error of the whole request. */
function toProblem(error: unknown): { status: number; problem: Problem } {
  const refusal = toRefusal(error);
  if (!refusal) throw error;
  const problem = problemOf(refusal.code, refusal.message, refusal);
  return { status: problem.status, problem };
}
