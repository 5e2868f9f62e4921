// What a route's handler gets, and what every route finds first: server, web application,
// domain. Answers 404 for what is not there. Has no state.
import type { JsonObject } from './control-fields.ts';
import type { Reply } from './replies.ts';
import { failure } from './replies.ts';
import type { Settings } from './settings.ts';
import type { Variants } from './variants.ts';
import type { Domain, Server, Webapp, World } from './world.ts';

export type ApiVersion = 'v2' | 'v3';
export type Parameter = 'server' | 'webapp' | 'domain' | 'ssl';
export type Parameters = Partial<Record<Parameter, number>>;

export interface Context {
  version: ApiVersion;
  /** http://127.0.0.1:1234, as the caller knows it. */
  origin: string;
  path: string;
  parameters: Parameters;
  query: URLSearchParams;
  body: JsonObject;
  now: number;
  world: World;
  variants: Variants;
  settings: Settings;
}

export type Handler = (context: Context) => Reply;

export const notFound = (context: Context, what: string): Reply =>
  failure(404, `${what} not found.`, context.variants);

export const withServer =
  (handle: (context: Context, server: Server) => Reply): Handler =>
  (context) => {
    const server = context.world.servers.find(({ id }) => id === context.parameters.server);
    return server === undefined ? notFound(context, 'Server') : handle(context, server);
  };

export const withWebapp = (handle: (context: Context, webapp: Webapp) => Reply): Handler =>
  withServer((context, server) => {
    const webapp = context.world.webapps.find(
      ({ id, serverId }) => id === context.parameters.webapp && serverId === server.id,
    );
    return webapp === undefined ? notFound(context, 'Web application') : handle(context, webapp);
  });

export function findDomain(context: Context, webapp: Webapp): Domain | undefined {
  return context.world.domains.find(
    ({ id, webappId }) => id === context.parameters.domain && webappId === webapp.id,
  );
}

export const withDomain = (handle: (context: Context, domain: Domain, webapp: Webapp) => Reply): Handler =>
  withWebapp((context, webapp) => {
    const domain = findDomain(context, webapp);
    return domain === undefined ? notFound(context, 'Domain') : handle(context, domain, webapp);
  });
