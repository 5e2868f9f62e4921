// The simulator's switches that match the replies to the writes of `doctor --try-domain`. Pure.
import { isOk, jsonOf, known, messageOf, numberOf, objectOf, type Replies } from './replies.ts';
import { isRow } from './shape.ts';

export function judgeTry(replies: Replies): Readonly<Record<string, string>> {
  const { attach } = replies;
  return known({
    createStatus: attach?.status === 200 || attach?.status === 201 ? String(attach.status) : undefined,
    attachReply: judgeAttach(replies),
    duplicateReply: judgeDuplicate(replies),
    deleteReply: judgeDelete(replies),
    deleteUnknown: judgeUnknown(replies),
    singleObjects: judgeObjects(replies),
    idnReply: judgeIdn(replies),
    domainSslReply: judgeInstall(replies),
    firstIssuance: judgeFirst(replies),
  });
}

const idOf = (replies: Replies, name: string): number | undefined =>
  numberOf(objectOf(replies[name])?.row.id);
const isEmpty = (value: unknown): boolean => isRow(value) && Object.keys(value).length === 0;

const judgeObjects = (replies: Replies): string | undefined => {
  const found = objectOf(replies['get-domain']);
  return found && (found.isWrapped ? 'wrapped' : 'flat');
};

/** If all single objects are under `data`, this one proves nothing. */
function judgeAttach(replies: Replies): string | undefined {
  const { attach } = replies;
  if (!isOk(attach)) return undefined;
  if (isEmpty(jsonOf(attach))) return 'empty';
  if (idOf(replies, 'attach') === undefined) return undefined;
  const isUsual = objectOf(attach)?.isWrapped === (judgeObjects(replies) === 'wrapped');
  return isUsual ? 'domain' : 'wrapped';
}

function judgeDuplicate(replies: Replies): string | undefined {
  const again = replies['attach-again'];
  if (isOk(again)) return idOf(replies, 'attach-again') === undefined ? undefined : '200-existing';
  const body = jsonOf(again);
  if (again?.status === 422) return isRow(body) && isRow(body.errors) ? '422-errors' : '422-message';
  return again?.status === 409 || again?.status === 400 ? String(again.status) : undefined;
}

function judgeDelete(replies: Replies): string | undefined {
  const reply = replies.delete;
  if (reply?.status === 204) return '204';
  if (!isOk(reply)) return undefined;
  if (isEmpty(jsonOf(reply))) return 'empty';
  return idOf(replies, 'delete') === undefined ? undefined : 'domain';
}

function judgeUnknown({ 'delete-again': reply }: Replies): string | undefined {
  if (isOk(reply)) return isEmpty(jsonOf(reply)) ? '200-empty' : undefined;
  return reply?.status === 404 || reply?.status === 422 ? String(reply.status) : undefined;
}

function judgeIdn(replies: Replies): string | undefined {
  const name = objectOf(replies['get-domain'])?.row.name;
  if (typeof name !== 'string') return undefined;
  if (/[^\x20-\x7e]/.test(name)) return 'unicode';
  return /(^|\.)xn--/i.test(name) ? 'ascii' : undefined;
}

function judgeInstall(replies: Replies): string | undefined {
  const reply = replies['install-domain-ssl'];
  if (reply?.status === 204) return '204';
  if (!isOk(reply)) return undefined;
  if (isEmpty(jsonOf(reply))) return 'empty';
  if (idOf(replies, 'install-domain-ssl') !== undefined) return 'ssl';
  return messageOf(reply) === undefined ? undefined : 'message';
}

/** Right after the order. A certificate that already has an end proves nothing. */
function judgeFirst(replies: Replies): string | undefined {
  const reply = replies['get-domain-ssl'];
  if (!isOk(replies['install-domain-ssl']) || reply === undefined) return undefined;
  const row = objectOf(reply)?.row;
  const ssl = isRow(row?.ssl) ? row.ssl : row;
  if (ssl?.id !== undefined) return ssl.validUntil == null ? 'visible' : undefined;
  const saysNone = reply.status === 404 || row?.ssl === null || /not installed/i.test(messageOf(reply) ?? '');
  return saysNone ? 'hidden' : undefined;
}
