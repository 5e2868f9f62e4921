// From checked values to the Config's parts about the HTTP server and the callbacks, and what must hold before it listens. Pure.

import { ConfigError } from './config-error.ts';
import { isOutdated } from './credential-hashes.ts';
import { isLoopbackHost } from './server-kinds.ts';
import type { Config } from './shape.ts';
import { type Values, variables } from './variables.ts';

export const toServer = (values: Values): Pick<Config, 'server' | 'callbacks' | 'otlpEndpoint'> => ({
  server: {
    host: values.SERVER_HOST,
    port: values.SERVER_PORT,
    path: values.SERVER_PATH,
    tokens: values.API_TOKENS ?? [],
    boardUsers: values.BOARD_USERS ?? [],
    sessionMs: values.BOARD_SESSION,
    trustProxy: values.TRUST_PROXY === 'on',
    ratePerMinute: values.API_RATE_PER_MINUTE,
  },
  callbacks: { urls: values.CALLBACK_URLS ?? [], secrets: values.CALLBACK_SECRETS ?? [] },
  otlpEndpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
});

/** A receiver could not tell an unsigned webhook from anybody's. */
export function checkCallbacks({ CALLBACK_URLS, CALLBACK_SECRETS }: Values): string[] {
  if (CALLBACK_URLS === undefined || CALLBACK_SECRETS !== undefined) return [];
  return [
    `CALLBACK_SECRETS is missing: CALLBACK_URLS is set, and webhooks are always signed; example: CALLBACK_SECRETS=${variables.CALLBACK_SECRETS.example}`,
  ];
}

/** Old hashes go on working; a person can make better ones only with the password. */
export function outdatedUsers({ BOARD_USERS = [] }: Values): string[] {
  const names = BOARD_USERS.filter(({ hash }) => isOutdated(hash)).map(({ name }) => name);
  return names.length === 0
    ? []
    : [
        `BOARD_USERS holds passwords that are hashed with less work than is advised today (${names.join(', ')}): they go on working; make these entries anew with \`runcloud-domains board password\``,
      ];
}

/**
 * Throws ConfigError where `server` would listen beyond this machine without API tokens. Only `server` asks: a worker that
 * shares the configuration does not listen there.
 */
export function assertServable({ server: { host, tokens } }: Pick<Config, 'server'>): void {
  if (isLoopbackHost(host) || tokens.length > 0) return;
  throw new ConfigError([
    `API_TOKENS is missing: SERVER_HOST=${host} is reached from beyond this machine, and the server listens there only where every request needs a token; make one with \`runcloud-domains token create --name NAME --role enqueue\`, or set SERVER_HOST=127.0.0.1`,
  ]);
}
