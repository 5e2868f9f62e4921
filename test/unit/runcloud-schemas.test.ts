// RunCloud's JSON in all the shapes that its documents, SDKs and users report, and what we make of it.
import { describe, expect, test } from '@jest/globals';
import {
  type CertificateReply,
  parseCertificateReply,
  toDomainCertificate,
  toSharedCertificate,
} from '../../src/runcloud/certificates.ts';
import {
  parseDomain,
  parseServer,
  parseSslMode,
  parseWebApplication,
  toPageFacts,
  toRows,
} from '../../src/runcloud/schemas.ts';

const bare = { id: 7, name: 'shop.example.org', type: undefined, www: undefined, redirection: undefined };

describe('a domain', () => {
  test.each<[string, unknown, object | undefined]>([
    [
      'as documented',
      { ...bare, type: 'alias', www: 0, redirection: 'non-www', wildcard: 0, status: null },
      { ...bare, type: 'alias', www: false, redirection: 'non-www' },
    ],
    ['under data', { data: { id: 7, name: 'shop.example.org', www: true } }, { ...bare, www: true }],
    ['with nothing but id and name (v2)', { id: 7, name: 'shop.example.org' }, bare],
    ['with a numeric string as id', { id: '7', name: 'shop.example.org', www: '1' }, { ...bare, www: true }],
    ['with www as text', { id: 7, name: 'shop.example.org', www: 'false' }, { ...bare, www: false }],
    ['in capitals with a trailing dot', { id: 7, name: 'Shop.Example.ORG.' }, bare],
    ['as Unicode', { id: 7, name: 'Bücher.example' }, { ...bare, name: 'xn--bcher-kva.example' }],
    ['that is a wildcard', { id: 7, name: '*.example.org' }, { ...bare, name: '*.example.org' }],
    [
      'with values that we do not know',
      { id: 7, name: 'shop.example.org', type: 'parked', www: 2, redirection: null },
      bare,
    ],
    ['without id', { name: 'shop.example.org' }, undefined],
    ['with a name that is none', { id: 7, name: '' }, undefined],
    ['with an id that is none', { id: 'seven', name: 'shop.example.org' }, undefined],
    ['that is empty', {}, undefined],
    ['that is a list', [], undefined],
    ['that is null', null, undefined],
  ])('%s', (_, body, expected) => {
    expect(parseDomain(body)).toEqual(expected);
  });
});

test('a server and a web application are read without their secrets', () => {
  const server = { id: 1903, name: 'box-1', ipAddress: '203.0.113.7', online: true, tags: [] };
  expect(parseServer(server)).toEqual({ id: 1903, name: 'box-1', ipAddress: '203.0.113.7', online: true });
  expect(parseServer({ data: { id: '1903', name: null, online: 0 } })).toEqual({
    id: 1903,
    name: undefined,
    ipAddress: undefined,
    online: false,
  });
  expect(parseWebApplication({ id: 646, name: 'app-x', pullKey1: 'p1', pullKey2: 'p2' })).toEqual({
    id: 646,
    name: 'app-x',
  });
  expect(parseWebApplication({ message: 'x' })).toBeUndefined();
});

test.each<[unknown, object | undefined]>([
  [
    { advancedSSL: true, autoSSL: false },
    { advanced: true, autoSsl: false },
  ],
  [{ data: { advancedSSL: 1, autoSSL: '1' } }, { advanced: true, autoSsl: true }],
  [{ advancedSSL: '0' }, { advanced: false, autoSsl: false }],
  [{}, { advanced: undefined, autoSsl: false }],
  [{ advancedSSL: null }, { advanced: false, autoSsl: false }],
  [[], undefined],
])('SSL mode %j', (body, expected) => {
  expect(parseSslMode(body)).toEqual(expected);
});

describe('a list', () => {
  const rows = [{ id: 1 }];
  test.each<[unknown, readonly unknown[] | undefined]>([
    [rows, rows],
    [{ data: rows, meta: {} }, rows],
    [{ data: { data: rows, total: 1 } }, rows],
    [{ data: [] }, []],
    [{ data: null }, undefined],
    [{ domains: rows }, undefined],
    ['text', undefined],
    [undefined, undefined],
  ])('rows of %j', (body, expected) => {
    expect(toRows(body)).toEqual(expected);
  });

  test.each<[string, unknown, object]>([
    [
      'as documented',
      { meta: { pagination: { total: 45, per_page: 40, total_pages: 2, links: {} } } },
      { total: 45, lastPage: 2 },
    ],
    ['lastPage alone', { meta: { lastPage: 3 } }, { total: undefined, lastPage: 3 }],
    ['Laravel', { meta: { current_page: 1, last_page: 2, total: '45' } }, { total: 45, lastPage: 2 }],
    ['Laravel without meta', { total: 45, last_page: 2, data: [] }, { total: 45, lastPage: 2 }],
    ['a paginator under data', { data: { data: [], total: 3 } }, { total: 3, lastPage: undefined }],
    ['links as an empty PHP array', { meta: { pagination: [] } }, { total: undefined, lastPage: undefined }],
    ['garbage', { meta: { total: 'many', lastPage: -1 } }, { total: undefined, lastPage: undefined }],
    ['none', [], { total: undefined, lastPage: undefined }],
  ])('page facts: %s', (_, body, expected) => {
    expect(toPageFacts(body)).toEqual(expected);
  });
});

describe('a certificate', () => {
  const kept = { enableHttp: true, enableHsts: false, authorizationMethod: 'dns-01' };
  const shown = { id: 88, method: 'letsencrypt', validUntil: '2026-05-01 00:00:00', ...kept };
  const full = { ...shown, privateKey: 'PLANTED', certificate: 'PLANTED', api_id: 5, ssl_protocol_id: '2' };
  const certificate = { ...shown, apiId: 5, sslProtocolId: 2 };
  const one: CertificateReply = { kind: 'one', certificate };
  const none: CertificateReply = { kind: 'none' };
  const unclear: CertificateReply = { kind: 'unclear' };

  test.each<[string, unknown, CertificateReply]>([
    ['flat (v2)', full, one],
    ['under data', { data: full }, one],
    ['as the ssl of one domain row', { id: 7, name: 'a.example', ssl: full }, one],
    ['as the ssl under data', { data: { id: 7, name: 'a.example', ssl: full } }, one],
    [
      'with a numeric string and a Unix time',
      { id: '88', validUntil: 1_777_000_000 },
      { kind: 'one', certificate: { id: 88, method: undefined, validUntil: '1777000000' } },
    ],
    ['none: the v2 message', { message: 'SSL not installed!' }, none],
    ['none: a row with null', { id: 7, name: 'a.example', ssl: null }, none],
    ['none: null under data', { data: null }, none],
    ['none: an empty object', {}, none],
    ['none: null', null, none],
    ['none: no body', undefined, none],
    ['unclear: another message', { message: 'Under maintenance' }, unclear],
    ['unclear: a row whose ssl has no id', { id: 7, name: 'a.example', ssl: {} }, unclear],
    ['unclear: text', 'text', unclear],
    ['a list of rows that is empty', { data: [] }, { kind: 'rows', rows: [] }],
  ])('%s', (_, body, expected) => {
    expect(parseCertificateReply(body)).toEqual(expected);
  });

  const reply = parseCertificateReply({
    data: [
      { id: 1, name: 'new.example', ssl: null },
      { id: 2, name: 'Shop.Example', ssl: full },
      { id: '3', name: 'b.example', ssl: { ...full, id: 89 } },
      { id: 4, name: 'c.example' },
    ],
  });
  const rows = reply.kind === 'rows' ? reply.rows : [];

  test.each([
    [{ sslProtocolId: 3 }, { sslProtocolId: 3 }],
    [
      { enableHttp: 1, enableHsts: '0', api_id: null },
      { enableHttp: true, enableHsts: false, apiId: undefined },
    ],
    [{ authorizationMethod: null, ssl_protocol_id: 'TLS' }, { authorizationMethod: undefined }],
  ])('its settings are read leniently: %j', (sent, read) => {
    expect(parseCertificateReply({ id: 88, ...sent })).toMatchObject({ certificate: { id: 88, ...read } });
  });

  test('rows of different certificates prove advanced mode; one row alone may be either', () => {
    const [none, one] = rows;
    const twin = { domainId: 5, domainName: 'd.example', certificate };
    expect(toSharedCertificate(rows)).toEqual({ kind: 'advanced' });
    expect(toSharedCertificate(rows.slice(0, 1))).toEqual({ kind: 'none' });
    expect(toSharedCertificate(rows.slice(0, 2))).toEqual({ kind: 'unsure', certificate });
    expect(none && one && toSharedCertificate([none, one, twin])).toEqual({ kind: 'found', certificate });
  });

  test.each([
    ['by id', { id: 3, name: 'other.example' }, 89],
    ['by name', { id: 99, name: 'shop.example' }, 88],
    ['not where its row has null', { id: 1, name: 'new.example' }, undefined],
    ['not where its row has no ssl', { id: 4, name: 'c.example' }, undefined],
    ['not from another domain’s row', { id: 98, name: 'other.example' }, undefined],
  ])('a domain finds its own %s', (_, domain, id) => {
    expect(toDomainCertificate(rows, domain)?.id).toBe(id);
  });

  test('nothing planted is left in what was read', () => {
    expect(JSON.stringify([parseCertificateReply(full), reply])).not.toContain('PLANTED');
  });
});
