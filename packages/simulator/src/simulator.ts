// A stand-in for RunCloud's API, built from the reference document alone: for tests, for the demo, for trying
// things. Shares no code with the client, so that it cannot share its mistakes; talks to nobody.

import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Credentials } from './authentication.ts';
import { DEFAULT_CREDENTIALS } from './authentication.ts';
import type { Call } from './calls.ts';
import { createCallLog } from './calls.ts';
import { CONTROL_PREFIX, serveControl } from './control.ts';
import type { Edge, SimulatorControls } from './controls.ts';
import { createControls } from './controls.ts';
import type { EdgeOptions } from './edge.ts';
import type { ExchangeParts } from './exchange.ts';
import { serveApi } from './exchange.ts';
import { createFaults } from './faults.ts';
import { createRateLimiter } from './rate-limit.ts';
import type { Seed } from './seed.ts';
import { createWorld } from './seed.ts';
import type { Settings } from './settings.ts';
import { DEFAULT_SETTINGS, parseSettings, SETTING_NAMES } from './settings.ts';
import type { Variants } from './variants.ts';
import { defaultVariants, parseVariants } from './variants.ts';

export interface SimulatorOptions extends Partial<Settings> {
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  credentials?: Partial<Credentials>;
  variants?: Partial<Variants>;
  seed?: Seed;
  /** Starts a DNS server and a web server with certificates too. Not there by default: they take a moment. */
  edge?: true | EdgeOptions;
  /** For faults with a probability. Default 1. */
  randomSeed?: number;
  /** Called when a call has ended. */
  onCall?: (call: Call) => void;
  /** Clock of the rate limit, the issuance lag and the dates. Default Date.now. */
  now?: () => number;
}

export interface Simulator extends SimulatorControls, AsyncDisposable {
  /** http://127.0.0.1:1234, without /api. */
  readonly url: string;
  readonly port: number;
  readonly credentials: Credentials;
  close: () => Promise<void>;
}

/** With option `edge`, its result is there for sure. */
export type EdgedSimulator = Simulator & { readonly edge: Edge };

export function createSimulator(
  options: SimulatorOptions & { edge: true | EdgeOptions },
): Promise<EdgedSimulator>;
export function createSimulator(options?: SimulatorOptions): Promise<Simulator>;
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const closing = new AbortController();
  const parts = createParts(options, closing.signal);
  await using stack = new AsyncDisposableStack();
  const controls = await addEdge(createControls(parts, options), parts, options, stack);
  const server = createServer((request, response) => void serve({ parts, controls, request, response }));
  stack.defer(() => stop(server));
  const port = await listen(server, options);
  stack.defer(() => closing.abort());
  const started = stack.move();
  const close = (): Promise<void> => started.disposeAsync();
  return {
    ...controls,
    url: `http://${options.host ?? '127.0.0.1'}:${port}`,
    port,
    credentials: parts.credentials,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function addEdge(
  controls: SimulatorControls,
  parts: ExchangeParts,
  { edge }: SimulatorOptions,
  stack: AsyncDisposableStack,
): Promise<SimulatorControls> {
  if (edge === undefined) return controls;
  // Loaded late: who needs no certificates does not wait for the libraries that make them.
  const { startEdge } = await import('./edge.ts');
  const { addresses, close } = await startEdge(parts, edge === true ? {} : edge);
  stack.defer(close);
  const { setDns, removeDns, serve: lie } = controls;
  return { ...controls, edge: { ...addresses, setDns, removeDns, serve: lie } };
}

function createParts(options: SimulatorOptions, closing: AbortSignal): ExchangeParts {
  const { now = Date.now, seed = {}, randomSeed = 1, onCall } = options;
  const variants = { ...defaultVariants(), ...parseVariants(options.variants ?? {}) };
  const settings = { ...DEFAULT_SETTINGS, ...settingsIn(options) };
  return {
    world: createWorld(seed, now(), settings),
    variants,
    settings,
    credentials: { ...DEFAULT_CREDENTIALS, ...options.credentials },
    rateLimiter: createRateLimiter({ settings, variants }),
    faults: createFaults({ randomSeed }),
    callLog: createCallLog(onCall === undefined ? {} : { onCall }),
    now,
    closing,
  };
}

function settingsIn(options: SimulatorOptions): Partial<Settings> {
  const given = SETTING_NAMES.filter((name) => options[name] !== undefined);
  return parseSettings(Object.fromEntries(given.map((name) => [name, options[name]])));
}

async function serve(exchange: {
  parts: ExchangeParts;
  controls: SimulatorControls;
  request: IncomingMessage;
  response: ServerResponse;
}): Promise<void> {
  const { parts, controls, request, response } = exchange;
  const isControl = new RegExp(`^${CONTROL_PREFIX}(/|\\?|$)`).test(request.url ?? '');
  try {
    await (isControl ? serveControl(controls, request, response) : serveApi(parts, request, response));
  } catch (error) {
    // A client that went away, the simulator closing, or a bug in it: the caller must learn of the last.
    if (parts.closing.aborted || response.headersSent || request.socket.destroyed) response.destroy();
    else response.writeHead(500).end(`The simulator failed: ${String(error)}`);
  }
}

async function listen(
  server: HttpServer,
  { port = 0, host = '127.0.0.1' }: SimulatorOptions,
): Promise<number> {
  // Node's 5 s would close idle connections under a client's hands: faults here are scripted, never chance.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Does not wait for keep-alive connections or for an answer that never comes. */
async function stop(server: HttpServer): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
