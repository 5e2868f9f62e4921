// The simulator's switches that match the replies about certificates, in either mode and API
// version. Pure.
import { saysNoSsl } from '../runcloud/certificates.ts';
import { countDomains } from './list-switches.ts';
import { isOk, jsonOf, known, messageOf, objectOf, type Replies, type Row, rowsOf } from './replies.ts';
import { isRow } from './shape.ts';

type Version = 'v2' | 'v3';
/** Undefined: unknown. */
export type Mode = 'basic' | 'advanced' | undefined;

export function judgeMode(replies: Replies): Mode {
  const reply = replies['get-advanced-ssl'];
  const flag = objectOf(reply)?.row.advancedSSL;
  if (flag === true || flag === 1 || flag === '1') return 'advanced';
  const isOwnRefusal = (reply?.status === 404 || reply?.status === 403) && messageOf(reply) !== undefined;
  return flag !== undefined || isOwnRefusal ? 'basic' : undefined;
}

export function judgeSsl(replies: Replies, version: Version): Readonly<Record<string, string>> {
  const mode = judgeMode(replies);
  return known({
    ...judgeShared(replies, version, mode),
    sslRowsPaged: judgePaged(replies),
    sslDates: judgeDates(replies),
    advancedStatus: mode === 'basic' ? String(replies['get-advanced-ssl']?.status) : undefined,
    domainSslInBasicMode: mode === 'basic' ? judgeRefusal(replies) : undefined,
    domainSslShape: mode === 'advanced' ? judgeOwn(replies) : undefined,
    noDomainSsl: mode === 'advanced' ? judgeNone(replies) : undefined,
  });
}

const hasId = (value: unknown): value is Row => isRow(value) && value.id !== undefined;

function judgeShared(
  replies: Replies,
  version: Version,
  mode: Mode,
): Readonly<Record<string, string | undefined>> {
  const reply = replies['get-ssl'];
  const rows = rowsOf(reply);
  if (rows?.some(({ ssl }) => hasId(ssl)))
    return {
      // In advanced mode v2 may send rows, since there is no shared certificate.
      sslShape: version === 'v3' ? 'as-documented' : mode === 'basic' ? 'nested' : undefined,
      nestedUncovered: mode === 'basic' && rows.some(({ ssl }) => ssl === null) ? 'null' : undefined,
    };
  const shape = judgeFlat(replies, version);
  if (shape) return { sslShape: shape };
  return { noSsl: mode === 'basic' ? judgeNoSsl(replies, version) : undefined };
}

/** If all single objects are under `data`, this one proves nothing. */
function judgeFlat(replies: Replies, version: Version): string | undefined {
  const found = objectOf(replies['get-ssl']);
  if (!found || !hasId(found.row) || 'ssl' in found.row) return undefined;
  const isUsual = found.isWrapped === (objectOf(replies['get-server'])?.isWrapped ?? false);
  if (!isUsual) return found.isWrapped ? 'wrapped' : undefined;
  return version === 'v2' ? 'as-documented' : 'flat';
}

function judgeNoSsl(replies: Replies, version: Version): string | undefined {
  const reply = replies['get-ssl'];
  if (rowsOf(reply)?.length) return version === 'v3' ? 'as-documented' : 'rows-null';
  if (reply?.status === 422) return '422';
  if (reply?.status === 404 && reply.body.kind === 'empty') return 'empty-404';
  if (!/not installed/i.test(messageOf(reply) ?? '')) return undefined;
  if (reply?.status === 404) return 'message-404';
  if (!isOk(reply)) return undefined;
  return version === 'v2' ? 'as-documented' : 'message-200';
}

function judgePaged(replies: Replies): string | undefined {
  const [all, one] = [rowsOf(replies['get-ssl']), rowsOf(replies['get-ssl-page'])];
  if (!all || all.length < 2) return undefined;
  const body = jsonOf(replies['get-ssl']);
  if (isRow(body) && isRow(body.meta)) return 'paged';
  if (one && one.length < all.length) return 'paged';
  // Fewer rows than domains on one page of theirs: the rest is elsewhere.
  if (all.length < countDomains(replies)) return 'paged';
  return one ? 'all' : undefined;
}

function judgeDates(replies: Replies): string | undefined {
  const own = objectOf(replies['get-domain-ssl'])?.row;
  const candidates = [
    ...(rowsOf(replies['get-ssl']) ?? []).map(({ ssl }) => ssl),
    objectOf(replies['get-ssl'])?.row,
    own?.ssl ?? own,
  ];
  const until = candidates.find((ssl): ssl is Row => isRow(ssl) && ssl.validUntil != null)?.validUntil;
  if (typeof until === 'number' || (typeof until === 'string' && /^\d+$/.test(until))) return 'unix';
  if (typeof until !== 'string') return undefined;
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d/.test(until)) return 'sql';
  return /^\d{4}-\d\d-\d\dT/.test(until) ? 'iso' : undefined;
}

function judgeRefusal(replies: Replies): string | undefined {
  const status = replies['get-domain-ssl']?.status;
  return status === 422 || status === 403 || status === 404 ? String(status) : undefined;
}

function judgeOwn(replies: Replies): string | undefined {
  const found = objectOf(replies['get-domain-ssl']);
  if (!found) return undefined;
  if (hasId(found.row.ssl)) return 'nested';
  if (!hasId(found.row) || 'ssl' in found.row) return undefined;
  const isUsual = found.isWrapped === (objectOf(replies['get-server'])?.isWrapped ?? false);
  return isUsual ? 'flat' : found.isWrapped ? 'wrapped' : undefined;
}

function judgeNone(replies: Replies): string | undefined {
  return judgeNoneOf(replies['get-domain-ssl-none']) ?? judgeNoneOf(replies['get-domain-ssl']);
}

function judgeNoneOf(reply: Replies[keyof Replies]): string | undefined {
  const message = messageOf(reply) ?? '';
  if (reply?.status === 404) return '404';
  if (reply?.status === 422 && saysNoSsl(message)) return '422';
  if (isOk(reply) && /not installed/i.test(message)) return 'message-200';
  return objectOf(reply)?.row.ssl === null ? 'null-200' : undefined;
}
