// The headers of every answer of the board, and who may send it something: only the board's own pages.
import type { FastifyRequest } from 'fastify';

/** For our own small pages and for what is no page: nothing runs, nothing is loaded, forms go to us alone. */
export const strictPolicy = (styleHash?: string): string =>
  [
    "default-src 'none'",
    ...(styleHash ? [`style-src '${styleHash}'`] : []),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/**
 * For Bull Board's page: its own files and no other host (it would load a font from fonts.googleapis.com). No inline
 * script, and no inline style in its HTML: `withoutInlineStyle` takes away what there is.
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
  // Not `no-referrer`: with it a browser sends `Origin: null` along with the login form. No other site gets a referrer.
  'referrer-policy': 'same-origin',
  // Without TLS browsers ignore it, with a complaint.
  ...(isSecure && { 'cross-origin-opener-policy': 'same-origin' }),
  'cross-origin-resource-policy': 'same-origin',
  'x-robots-tag': 'noindex, nofollow',
});

/** The page of Bull Board without what the policy forbids: fonts of another host, and the style of its splash. */
export const withoutInlineStyle = (html: string): string =>
  html
    .replace(/<link[^>]*fonts\.googleapis\.com[^>]*>/g, '')
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/ style="[^"]*"/g, '');

/**
 * Whether a page of this very origin sent the request. Sec-Fetch-Site decides where the browser sends it (over HTTPS and on
 * localhost), and a proxy that rewrites Host does no harm; else the Origin must name the host that was asked.
 */
export function isFromOwnPage({ headers, host }: Pick<FastifyRequest, 'headers' | 'host'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin } = headers;
  if (origin === undefined || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  const asked = `${from.protocol}//${host}`;
  return from.host !== '' && URL.canParse(asked) && new URL(asked).host === from.host;
}
