// Which certificate is found, and what it costs in calls: the shapes alone are tested in runcloud-schemas.test.ts.
import { describe, expect, test } from '@jest/globals';
import {
  AdvancedModeError,
  InterceptedError,
  UnauthorizedError,
  UnknownResultError,
} from '../../src/runcloud/errors.ts';
import type { AttachedDomain, Certificate } from '../../src/runcloud/runcloud.ts';
import { app, failureOf, type Script, send, startScripted } from './runcloud-scripted-server.ts';

const domain: AttachedDomain = {
  id: 45,
  name: 'd45.example',
  type: undefined,
  www: undefined,
  redirection: undefined,
};
const own = '/servers/1903/webapps/646/domains/45/ssl';
const shared = '/servers/1903/webapps/646/ssl';

const ownId = (id: number): number => 1000 + id;

/** Rows for 45 domains, of which `covered` have certificate 1000 + id. */
const rows = (covered: readonly number[], idOf = ownId) =>
  Array.from({ length: 45 }, (_, index) => {
    const id = index + 1;
    return { id, name: `d${id}.example`, ssl: covered.includes(id) ? { id: idOf(id) } : null };
  });

const all =
  (covered: readonly number[], idOf = ownId): Script =>
  (_, response) =>
    send(response, 200, { data: rows(covered, idOf) });

const whole =
  (covered: readonly number[]): Script =>
  (_, response) =>
    send(response, 200, { data: rows(covered), meta: { pagination: { total: 45 } } });

/** `size`: what the server gives, whatever is requested. */
const paged =
  (covered: readonly number[], withMeta: boolean, size?: number): Script =>
  ({ query }, response) => {
    const page = Number(query.get('page') ?? 1);
    const perPage = size ?? Number(query.get('perPage') ?? 20);
    const data = rows(covered).slice((page - 1) * perPage, page * perPage);
    send(response, 200, { data, ...(withMeta ? { meta: { pagination: { total: 45 } } } : {}) });
  };

/** Per-domain replies by one script, the web application's by another. */
const either =
  (mine: Script, theirs: Script): Script =>
  (request, response) =>
    (request.path === own ? mine : theirs)(request, response);

async function find(
  script: Script,
  which: 'shared' | 'own',
): Promise<{ found: Certificate | undefined; calls: string[] }> {
  await using server = await startScripted(script);
  const client = server.client();
  const found = await (which === 'own'
    ? client.getDomainCertificate(app, domain)
    : client.getCertificate(app));
  return {
    found,
    calls: server.requests.map(({ path, query }) => `${path}${query.size > 0 ? `?${query}` : ''}`),
  };
}

describe('the web application’s certificate', () => {
  test.each<[string, Script, number | undefined, number]>([
    ['is that of two rows, in one call', all([2, 45], () => 1002), 1002, 1],
    ['is one row’s, where no other row has another', all([2]), 1002, 1],
    ['is one row’s, in one call where a total says that these are all', whole([2]), 1002, 1],
    ['is looked for on later pages only where the first has none', paged([45], true), 1045, 3],
    ['the same without meta', paged([45], false), 1045, 7],
    ['on the last page of pages of 15, without meta', paged([45], false, 15), 1045, 9],
    ['on the last page of pages of 10, without meta', paged([45], false, 10), 1045, 13],
    ['is not there: all rows came at once, more than a page has', all([]), undefined, 1],
    ['is not there: all pages were read', paged([], true), undefined, 3],
    ['404', (_, r) => send(r, 404), undefined, 1],
    ['the message with 422', (_, r) => send(r, 422, { message: 'SSL not installed!' }), undefined, 1],
    ['the message with 500', (_, r) => send(r, 500, { message: 'SSL not installed!' }), undefined, 1],
  ])('%s', async (_, script, id, calls) => {
    const result = await find(script, 'shared');
    expect(result.found?.id).toBe(id);
    expect(result.calls).toHaveLength(calls);
  });

  test.each<[string, Script, number]>([
    ['on one page', all([2, 45]), 1],
    ['on two pages', paged([2, 45], true), 3],
    ['on two pages of 15 without meta', paged([2, 45], false, 15), 9],
  ])(
    'is nobody’s where two rows have different ones, %s: that is advanced mode',
    async (_, script, calls) => {
      await using server = await startScripted(script);
      const error = await failureOf(server.client().getCertificate(app));
      expect(error).toBeInstanceOf(AdvancedModeError);
      expect(server.requests).toHaveLength(calls);
    },
  );

  test.each<[string, Script, new (...a: never[]) => Error]>([
    ['401', (_, r) => send(r, 401), UnauthorizedError],
    ['500', (_, r) => send(r, 500), UnknownResultError],
    ['another message', (_, r) => send(r, 200, { message: 'Try later' }), UnknownResultError],
  ])('%s is not "none"', async (_, script, kind) => {
    expect(await failureOf(find(script, 'shared'))).toBeInstanceOf(kind);
  });
});

describe('a domain’s certificate', () => {
  const empty: Script = (_, response) => send(response, 200, {});
  const refusal =
    (status: number): Script =>
    (_, response) =>
      send(response, status);

  test.each<[string, Script, number | undefined, string[]]>([
    ['is in its own reply', (_, r) => send(r, 200, { id: 7 }), 7, [own]],
    ['is in its row of its own reply', all([1, 45]), 1045, [own]],
    ['is in the rows, where its own reply is empty', either(empty, all([1, 45])), 1045, [own, shared]],
    [
      'is on a later page of the rows',
      either(empty, paged([1, 45], true)),
      1045,
      [own, shared, `${shared}?page=1&perPage=40`, `${shared}?page=2&perPage=40`],
    ],
    [
      'is never the web application’s',
      either(empty, (_, r) => send(r, 200, { id: 88 })),
      undefined,
      [own, shared],
    ],
    ['is never taken from no row at all', either(empty, refusal(404)), undefined, [own, shared]],
    ['404: none', refusal(404), undefined, [own]],
    ['422: none', refusal(422), undefined, [own]],
    ['400: none', refusal(400), undefined, [own]],
    ...['SSL not found.', 'No certificate for this domain', 'Advanced SSL is not enabled.'].map(
      (message): [string, Script, undefined, string[]] => [
        `422 with "${message}": none`,
        (_, r) => send(r, 422, { message }),
        undefined,
        [own],
      ],
    ),
  ])('%s', async (_, script, id, calls) => {
    const result = await find(script, 'own');
    expect(result.found?.id).toBe(id);
    expect(result.calls).toEqual(calls);
  });

  test.each([
    [422, 'Your server is offline'],
    [422, 'The SSL could not be read: your server is not reachable'],
    [400, 'The given data was invalid.'],
    [409, 'SSL is not ready, another operation is in progress'],
  ])('%i with "%s" is not "none"', async (status, message) => {
    await expect(find((_, r) => send(r, status, { message }), 'own')).rejects.toMatchObject({ status });
  });

  test.each([401, 403, 405, 408, 409, 429, 500, 503])('%i is not "none"', async (status) => {
    await expect(find(refusal(status), 'own')).rejects.toMatchObject({ status });
    await expect(find(either(empty, refusal(status)), 'own')).rejects.toMatchObject({ status });
  });
});

describe('the SSL mode', () => {
  const mode = async (status: number, body?: unknown) => {
    // Ping goes well: the refusal speaks of this route, not of the account.
    await using server = await startScripted(({ path }, response) =>
      path === '/ping' ? send(response, 200, {}) : send(response, status, body),
    );
    return await server.client().getSslMode(app);
  };

  test('404 and 403 in RunCloud’s own words mean basic: the version or the plan has no other', async () => {
    expect(await mode(404, { message: 'Not found.' })).toEqual({ advanced: false, autoSsl: false });
    expect(await mode(403, { message: 'Forbidden.' })).toEqual({ advanced: false, autoSsl: false });
  });

  test.each([403, 404])(
    '%i with a page, with other JSON, or with nothing says nothing of it',
    async (status) => {
      await expect(mode(status, '<html><title>Just a moment...</title></html>')).rejects.toThrow(
        InterceptedError,
      );
      await expect(mode(status, { error_code: 1020 })).rejects.toThrow(InterceptedError);
      await expect(mode(status)).rejects.toMatchObject({ status, isOwnWord: false });
    },
  );

  test.each([401, 422, 429, 500])('%i does not', async (status) => {
    await expect(mode(status)).rejects.toMatchObject({ status });
  });

  test('nor does a reply that does not say', async () => {
    await expect(mode(200, {})).rejects.toThrow(UnknownResultError);
  });
});
