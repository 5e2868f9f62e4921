// The path below which a proxy shows the server. Pure. It stands in pages, redirects and cookies, so that it is a plain path and
// nothing else: no other host, no line's end, no markup.

const MAX_LENGTH = 200;
const PLAIN = /^(\/[\w.~-]+)+$/;

/** The server's own paths: below one of them it could not be told whether a proxy has taken the prefix off. */
const OWN = /^\/(v1|board|healthz|readyz|metrics|workers)(\/|$)/;

/** `/a/b` without a slash at its end, '' for `/`; undefined for what is no plain path, or one of the server's own. */
export function toPathPrefix(text: string): string | undefined {
  const path = `/${text.replace(/^\/|\/$/g, '')}`;
  if (path === '/') return text.length <= 1 ? '' : undefined;
  const isPlain = path.length <= MAX_LENGTH && PLAIN.test(path) && !/\/\.{1,2}(\/|$)/.test(path);
  return isPlain && !OWN.test(path) ? path : undefined;
}

/** `url` without the prefix, where it still has it: some proxies take it off, others do not. */
export function withoutPrefix(url: string, prefix: string): string {
  if (prefix === '' || !url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}

/** `http://any.example/board`, as a client asks a proxy, is `/board`: whichever server it names, it has asked this one. */
export const withoutOrigin = (url: string): string => {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '');
  return path === url || path.startsWith('/') ? path : `/${path}`;
};
