// Below which path the client sees the server: as SERVER_PATH says, or as the proxy that we trust says of this request.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { ServerConfig } from '../config/load.ts';
import { toPathPrefix } from '../listening/prefix.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** `/domains`, or '' where there is none. Goes in front of every path that a client is told. */
    prefix: string;
  }
}

export type PrefixSettings = Pick<ServerConfig, 'path' | 'trustProxy'>;

export function prefixIn(headers: IncomingHttpHeaders, { path, trustProxy }: PrefixSettings): string {
  const told = headers['x-forwarded-prefix'];
  // Some proxies send an empty header where they have nothing to say: it counts as absent.
  return (
    (trustProxy && typeof told === 'string' && told.trim() !== '' ? toPathPrefix(told) : undefined) ?? path
  );
}

/** '' where nobody has looked (a part that runs by itself). */
export const prefixOf = ({ prefix }: FastifyRequest): string => prefix ?? '';

/** A sentence that names routes, as the client has to ask for them. */
export const withRoutesBelow = (prefix: string, sentence: string): string =>
  sentence.replace(/\b(GET|POST|DELETE) \/v1\//g, `$1 ${prefix}/v1/`);
