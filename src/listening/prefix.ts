// The path below which a proxy serves the server. Pure. Pages, redirects and cookies contain it, so
// it must be a plain path: no other host, no line break, no markup.

const MAX_LENGTH = 200;
const PLAIN = /^(\/[\w.~-]+)+$/;

/**
 * The server's own paths. With one of them as the prefix, nobody could tell whether a proxy has
 * removed it.
 */
const OWN = /^\/(v1|board|healthz|readyz|metrics|workers)(\/|$)/;

/**
 * `/a/b` without a slash at its end, '' for `/`; undefined: no plain path, or one of the server's
 * own.
 */
export function toPathPrefix(text: string): string | undefined {
  const path = `/${text.replace(/^\/|\/$/g, '')}`;
  if (path === '/') return text.length <= 1 ? '' : undefined;
  const isPlain = path.length <= MAX_LENGTH && PLAIN.test(path) && !/\/\.{1,2}(\/|$)/.test(path);
  return isPlain && !OWN.test(path) ? path : undefined;
}

/** `url` without the prefix. Some proxies remove it, others do not. */
export function withoutPrefix(url: string, prefix: string): string {
  if (prefix === '' || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}

/**
 * `http://any.example/board`, as clients write to a proxy, is `/board`, whichever host it names.
 */
export const withoutOrigin = (url: string): string => {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return path === url || path.startsWith('/') ? path : `/${path}`;
};
