// The documents of the HTTP API agree with the table of routes.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { toDocsPage } from '../../src/server/docs-page.ts';
import { httpCodes, statusOf } from '../../src/server/http-codes.ts';
import { refusalsOf, toOpenApi } from '../../src/server/openapi.ts';
import { routes } from '../../src/server/routes/table.ts';

const document = toOpenApi(routes, '1.2.3');
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

function refsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : refsOf(inner)));
}

describe('the OpenAPI document', () => {
  test('has every route once, with its role, its answer and its refusals', () => {
    expect(operations).toHaveLength(routes.length);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(routes.length);
    for (const route of routes) {
      const operation = document.paths[route.path]?.[route.method.toLowerCase()];
      expect(operation).toMatchObject({ operationId: route.id, 'x-role': route.role });
      const statuses = Object.keys(operation?.responses ?? {}).map(Number);
      expect(statuses).toEqual(
        expect.arrayContaining([route.answer.status, ...refusalsOf(route).map(statusOf)]),
      );
    }
  });

  test('refers only to what it holds, and says nothing in words of our own making', () => {
    const refs = new Set(refsOf(document));
    expect(refs.size).toBeGreaterThan(5);
    for (const ref of refs) {
      expect(ref).toMatch(/^#\/components\/schemas\/\w+$/);
      expect(document.components.schemas).toHaveProperty(ref.replace(/^.*\//, ''));
    }
    expect(JSON.stringify(document)).not.toMatch(/"(accepts|\$schema|\$id|\$defs)":/);
  });

  test('declares each name in a path as a parameter of it', () => {
    for (const [path, methods] of Object.entries(document.paths))
      for (const { parameters = [] } of Object.values(methods)) {
        const named = parameters.filter((parameter) => parameter.in === 'path');
        expect(named.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
        for (const { required } of named) expect(required).toBe(true);
      }
  });
});

test('the page has every route and nothing that a browser would run', () => {
  const page = toDocsPage(document);
  for (const { path, id } of routes) {
    expect(page).toContain(path);
    expect(page).toContain(`id="${id}"`);
  }
  expect(page).not.toMatch(/<script|<img|\son\w+=/);
  expect(toDocsPage({ ...document, info: { ...document.info, title: '<b>' } })).not.toContain('<b>');
});

describe('docs/reference/http-api.md', () => {
  const text = readFileSync(new URL('../../docs/reference/http-api.md', import.meta.url), 'utf8');

  test('lists every route with its role, and no other', () => {
    const listed = [...text.matchAll(/^\| `((?:GET|POST|DELETE) \/\S+)` \| (\w+) \|/gm)].map(
      ([, route, role]) => `${route} ${role}`,
    );
    expect(listed.toSorted()).toEqual(
      routes.map(({ method, path, role }) => `${method} ${path} ${role}`).toSorted(),
    );
  });

  test('lists every code of HTTP with its status, meaning and fix', () => {
    const rows = Object.entries(httpCodes).map(
      ([code, { status, meaning, fix }]) => `| \`${code}\` | ${status} | ${meaning} | ${fix} |`,
    );
    for (const row of rows) expect(text).toContain(row);
  });
});
