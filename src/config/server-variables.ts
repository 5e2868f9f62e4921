// The variables of the HTTP server (API, board, health, metrics), of the callbacks and of traces. They are part of the table
// in variables.ts.
import * as kinds from './kinds.ts';
import { hostAndPort } from './network-kinds.ts';
import * as server from './server-kinds.ts';
import { otlpEndpoint } from './url-kinds.ts';
import { optional, secret, withDefault } from './variable.ts';

const listenVariables = {
  SERVER_HOST: withDefault(server.host, '127.0.0.1', {
    description:
      'Address on which `server` listens. Beyond this machine it listens only where API_TOKENS is set; `0.0.0.0` is every address.',
    example: '0.0.0.0',
  }),
  SERVER_PORT: withDefault(kinds.wholeNumber(0, 65_535), '8787', {
    description: 'Port on which `server` listens; 0 is any that is free.',
    example: '8787',
  }),
  SERVER_PATH: withDefault(server.pathPrefix, '/', {
    description:
      'Path below which a proxy shows the server; the proxy may strip the path or pass it on. A proxy that TRUST_PROXY trusts may also send the path in X-Forwarded-Prefix.',
    example: '/domains',
  }),
  TRUST_PROXY: withDefault(kinds.oneOf(kinds.switches), 'off', {
    description:
      "Whether `server` stands behind a proxy that ends TLS and sets X-Forwarded-*: then the board's cookies are Secure. `on` without such a proxy lets anybody forge the address that is logged.",
    example: 'on',
  }),
  API_RATE_PER_MINUTE: withDefault(kinds.wholeNumber(1, 1_000_000), '600', {
    description:
      'Requests that each API token may make in a minute; a line of a batch counts as one. All clients of one network that send no token may together make as many.',
    example: '600',
  }),
  WORKER_ADDRESS: optional(
    hostAndPort,
    {
      description:
        'Where a worker answers `/healthz`, `/readyz` and `/metrics` itself. They ask for no token: keep the address inside your own network, and give each worker of one machine a port of its own.',
      example: '127.0.0.1:8788',
    },
    'nowhere',
  ),
};

const accessVariables = {
  API_TOKENS: secret(server.apiTokens, {
    description:
      'Who may use the HTTP API; `token create` makes an entry. `enqueue` asks for domains, `read` looks, `operate` does both and steers. Two entries of one client (`shop-1`, `shop-2`) let it change its token without a gap.',
    example: 'shop:enqueue:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  }),
  BOARD_USERS: secret(server.boardUsers, {
    description:
      'Who may log in at the board; `board password` makes an entry. Put single quotes around the value: it holds `$`.',
    example:
      "'ada:operator:scrypt$131072$8$1$c2FsdC1vZi10aGUtZG9jcw$a2V5LW9mLXRoZS1kb2N1bWVudGF0aW9uLTMyYnl0ZXM'",
  }),
  BOARD_SESSION: withDefault(kinds.duration('1m', '30d'), '12h', {
    description: 'How long a login at the board lasts without being used.',
    example: '12h',
  }),
};

const callbackVariables = {
  CALLBACK_URLS: optional(server.callbackUrls, {
    description:
      'Where webhooks go when a domain is live, held, failed or removed, and when a worker is in trouble; needs CALLBACK_SECRETS.',
    example: 'https://app.example.org/hooks/domains',
  }),
  CALLBACK_SECRETS: secret(server.callbackSecrets, {
    description:
      'Secrets that sign the webhooks (Standard Webhooks). Every webhook is signed with each of them: add a new one in front, teach it to the receivers, then take the old one away. `echo "whsec_$(openssl rand -base64 32)"` makes one.',
    example: 'whsec_ZG9jdW1lbnRhdGlvbi1leGFtcGxlLXNlY3JldC0wMDE=',
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: optional(
    otlpEndpoint,
    {
      description: 'Where traces go, by OTLP over HTTP: the base address, to which `/v1/traces` is added.',
      example: 'http://127.0.0.1:4318',
    },
    'no traces',
  ),
};

export const serverVariables = { ...listenVariables, ...accessVariables, ...callbackVariables };
