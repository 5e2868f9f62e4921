// The headers of every answer of the board, and the check that a request comes from the board's own
// pages.
import type { FastifyRequest } from 'fastify';

/**
 * For our own small pages, and for what is no page: no script, no other file, forms to this server
 * only.
 */
export const strictPolicy = (styleHash?: string): string =>
  [
    "default-src 'none'",
    ...(styleHash ? [`style-src '${styleHash}'`] : []),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/**
 * For Bull Board's page: its own files and no other host (it would load a font from
 * fonts.googleapis.com). No inline script, and no inline style in its HTML: `withoutInlineStyle`
 * removes it.
 */
export const BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const fixedHeaders = (isSecure: boolean): Readonly<Record<string, string>> => ({
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Not `no-referrer`: a browser would send `Origin: null` with the login form. No other site gets
  // a referrer.
  'referrer-policy': 'same-origin',
  // Without TLS browsers ignore it, with a warning.
  ...(isSecure && { 'cross-origin-opener-policy': 'same-origin' }),
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex, nofollow',
});

/**
 * Bull Board's page without what the policy forbids: fonts of another host, and the style of its
 * splash.
 */
export const withoutInlineStyle = (html: string): string =>
  html
    .replace(/<link[^>]*fonts\.googleapis\.com[^>]*>/g, '')
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/ style="[^"]*"/g, '');

/**
 * Whether a page of this origin sent the request. If the browser sends Sec-Fetch-Site (over HTTPS
 * and on localhost), it decides, even behind a proxy that rewrites Host. Else the Origin must name
 * the requested host.
 */
export function isFromOwnPage({ headers, host }: Pick<FastifyRequest, 'headers' | 'host'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  const own = `${from.protocol}//${host}`;
  return from.host !== '' && URL.canParse(own) && new URL(own).host === from.host;
}
