// The path below which clients reach the server: SERVER_PATH, or the header of the trusted proxy.
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { ServerConfig } from '../config/load.ts';
import { toPathPrefix } from '../listening/prefix.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** `/domains`, or ''. Goes in front of every path in an answer. */
    prefix: string;
  }
}

export type PrefixSettings = Pick<ServerConfig, 'path' | 'trustProxy'>;

export function prefixIn(headers: IncomingHttpHeaders, { path, trustProxy }: PrefixSettings): string {
  const given = headers['x-forwarded-prefix'];
  // Some proxies send an empty header: it counts as absent.
  return (
    (trustProxy && typeof given === 'string' && given.trim() !== '' ? toPathPrefix(given) : undefined) ?? path
  );
}

/** '' in a part that runs without the server. */
export const prefixOf = ({ prefix }: FastifyRequest): string => prefix ?? '';

/** A sentence that names routes, with the paths that the client has to use. */
export const withRoutesBelow = (prefix: string, sentence: string): string =>
  sentence.replace(/\b(GET|POST|DELETE) \/v1\//g, `$1 ${prefix}/v1/`);
