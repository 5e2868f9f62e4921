// The API's own documents. They contain nothing beyond the published documents, so they need no
// token: a browser, which sends none, can show the page.
import { z } from 'zod';
import { toDocsPage } from '../docs-page.ts';
import { route } from './route.ts';

export const getDocument = route({
  id: 'getOpenApi',
  method: 'GET',
  path: '/v1/openapi.json',
  role: 'anyone',
  summary: 'Get this API as an OpenAPI 3.1 document',
  answer: {
    status: 200,
    description: 'The document',
    schema: z.looseObject({ openapi: z.literal('3.1.0') }),
  },
  handler: async ({ parts, prefix }) => ({
    ...parts.document,
    openapi: '3.1.0' as const,
    servers: [{ url: prefix || '/' }],
  }),
});

export const getDocsPage = route({
  id: 'getDocs',
  method: 'GET',
  path: '/v1/docs',
  role: 'anyone',
  summary: 'Get this API as a page',
  answer: {
    status: 200,
    description: 'The page',
    schema: z.string(),
    contentType: 'text/html; charset=utf-8',
  },
  handler: async ({ parts }) => toDocsPage(parts.document),
});
