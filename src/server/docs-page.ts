// The OpenAPI document as a page for people: one HTML file, no script, no other file, no other
// host. Pure.
import { createHash } from 'node:crypto';
import type { OpenApi, Operation, Parameter } from './routes/route.ts';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:0 auto;padding:1rem;color:#1b1f24;background:#fff}
h2{margin-top:2.5rem;border-top:1px solid #d0d7de;padding-top:1rem;font-size:1.15rem;overflow-wrap:anywhere}
h3{font-size:1rem;margin-bottom:.25rem}
.method{display:inline-block;min-width:4.5rem;font-weight:700}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f5f7;border-radius:4px}
code{padding:.1em .3em}pre{padding:.75rem;overflow:auto}
table{border-collapse:collapse;width:100%;display:block;overflow:auto}
th,td{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-bottom:1px solid #d0d7de}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}code,pre{background:#1c2128}h2,th,td{border-color:#30363d}a{color:#6cb6ff}}`;

/** Allows this page's own style, and nothing else. */
export const DOCS_CSP = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

/** Descriptions mark code as Markdown does. */
const prose = (text: string): string => escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');

export function toDocsPage({ info, paths, components }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const list = operations.map(
    ({ path, method, operation }) =>
      `<li><a href="#${operation.operationId}"><span class="method">${method}</span> <code>${escapeHtml(path)}</code></a> ${prose(operation.summary)}</li>`,
  );
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<h2 id="schema-${name}">${name}</h2>${toJson(schema)}`,
  );
  const body = [
    `<h1>${escapeHtml(info.title)} ${escapeHtml(info.version)}</h1><p>${prose(info.description)}</p>`,
    '<p>For programs: <a href="openapi.json">openapi.json</a></p>',
    `<ul>${list.join('')}</ul>`,
    ...operations.map(({ path, method, operation }) => toSection(path, method, operation)),
    '<h1>Schemas</h1>',
    ...schemas,
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(info.title)} API</title><style>${STYLE}</style></head><body>${body.join('\n')}</body></html>`;
}

function toSection(path: string, method: string, operation: Operation): string {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const role = operation['x-role'];
  const needs = role === 'anyone' ? 'Needs no token.' : `Needs a token with the role <code>${role}</code>.`;
  return [
    `<h2 id="${operationId}"><span class="method">${method}</span> <code>${escapeHtml(path)}</code></h2>`,
    `<p><strong>${prose(summary)}.</strong> ${prose(description ?? '')} ${needs}</p>`,
    parameters.length > 0 ? toTable(['Parameter', 'In', 'Meaning'], parameters.map(toRow)) : '',
    ...Object.entries(requestBody?.content ?? {}).map(
      ([type, { schema }]) => `<h3>Body: <code>${escapeHtml(type)}</code></h3>${toJson(schema)}`,
    ),
    '<h3>Responses</h3>',
    toTable(['Status', 'Meaning', 'Body'], Object.entries(responses).map(toAnswer)),
  ].join('\n');
}

const toRow = ({ name, in: where, required, description = '' }: Parameter): string[] => [
  `<code>${escapeHtml(name)}</code>${required ? ' (required)' : ''}`,
  where,
  prose(description),
];

function toAnswer([status, { description, content = {} }]: [
  string,
  Operation['responses'][string],
]): string[] {
  const schemas = Object.values(content).map(({ schema }) => schema as { $ref?: string });
  const links = schemas.flatMap(({ $ref }) => ($ref ? [$ref.replace(/^.*\//, '')] : []));
  return [status, prose(description), links.map((name) => `<a href="#schema-${name}">${name}</a>`).join('')];
}

const toTable = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('')}</table>`;

const toJson = (schema: object): string => {
  const { $ref } = schema as { $ref?: string };
  if ($ref) return `<p><a href="#schema-${$ref.replace(/^.*\//, '')}">${$ref.replace(/^.*\//, '')}</a></p>`;
  return `<pre>${escapeHtml(JSON.stringify(schema, null, 2))}</pre>`;
};
