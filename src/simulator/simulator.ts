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
import { ControlError } from './control-fields.ts';
import type { ExchangeParts } from './exchange.ts';
import { serveApi } from './exchange.ts';
import type { FaultRule } from './fault-rules.ts';
import type { FaultStatus } from './faults.ts';
import { createFaults } from './faults.ts';
import { createRateLimiter } from './rate-limit.ts';
import type { Seed } from './seed.ts';
import { createWorld, DEFAULT_WEBAPP_ID, toDomain } from './seed.ts';
import type { DomainChange } from './seed-check.ts';
import type { Settings } from './settings.ts';
import { DEFAULT_SETTINGS, parseSettings, SETTING_NAMES } from './settings.ts';
import type { SimulatorState } from './state.ts';
import { createState } from './state.ts';
import type { Variants } from './variants.ts';
import { defaultVariants, parseVariants } from './variants.ts';
import type { Domain } from './world.ts';
import { addDomain, domainsOf, removeDomain } from './world.ts';

export interface SimulatorOptions extends Partial<Settings> {
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  credentials?: Partial<Credentials>;
  variants?: Partial<Variants>;
  seed?: Seed;
  /** For faults with a probability. Default 1. */
  randomSeed?: number;
  /** Called when a call has ended. */
  onCall?: (call: Call) => void;
  /** Clock of the rate limit, the issuance lag and the dates. Default Date.now. */
  now?: () => number;
}

export interface SimulatorControls {
  /** May be written to directly; setVariants checks what it is given. */
  readonly variants: Variants;
  readonly settings: Settings;
  readonly state: SimulatorState;
  setVariants: (patch: Partial<Variants>) => Variants;
  setSettings: (patch: Partial<Settings>) => Settings;
  addFault: (rule: FaultRule) => FaultStatus;
  removeFault: (id: number) => void;
  clearFaults: () => void;
  /** As somebody would in RunCloud's own screens: no call, no certificate. */
  attachDomain: (domain: DomainChange) => Domain;
  detachDomain: (domain: { name: string; webapp?: number }) => Domain;
  /** Back to the start, or to another seed: world, variants, settings, faults, calls, rate limit. */
  reset: (seed?: Seed) => void;
}

export interface Simulator extends SimulatorControls, AsyncDisposable {
  /** http://127.0.0.1:1234, without /api. */
  readonly url: string;
  readonly port: number;
  readonly credentials: Credentials;
  close: () => Promise<void>;
}

export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const closing = new AbortController();
  const parts = createParts(options, closing.signal);
  const controls = createControls(parts, options);
  const server = createServer((request, response) => void serve({ parts, controls, request, response }));
  const port = await listen(server, options);
  const close = async (): Promise<void> => {
    closing.abort();
    await stop(server);
  };
  return {
    ...controls,
    url: `http://${options.host ?? '127.0.0.1'}:${port}`,
    port,
    credentials: parts.credentials,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createParts(options: SimulatorOptions, closing: AbortSignal): ExchangeParts {
  const { now = Date.now, seed = {}, randomSeed = 1, onCall } = options;
  const variants = { ...defaultVariants(), ...parseVariants(options.variants ?? {}) };
  const settings = { ...DEFAULT_SETTINGS, ...settingsIn(options) };
  return {
    world: createWorld(seed, now()),
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

function createControls(parts: ExchangeParts, options: SimulatorOptions): SimulatorControls {
  const { variants, settings, faults, world, now } = parts;
  const first = structuredClone({ variants, settings });
  return {
    variants,
    settings,
    state: createState(parts),
    setVariants: (patch) => Object.assign(variants, parseVariants(patch)),
    setSettings: (patch) => Object.assign(settings, parseSettings(patch)),
    addFault: (rule) => faults.add(rule),
    removeFault: (id) => faults.remove(id),
    clearFaults: () => faults.clear(),
    attachDomain: ({ webapp = DEFAULT_WEBAPP_ID, ...domain }) => {
      requireWebapp(parts, webapp);
      return addDomain(world, toDomain(domain, webapp, now()));
    },
    detachDomain: (wanted) => detach(parts, wanted),
    reset: (seed = options.seed ?? {}) => {
      Object.assign(world, createWorld(seed, now()));
      Object.assign(variants, first.variants);
      Object.assign(settings, first.settings);
      faults.clear();
      parts.callLog.clear();
      parts.rateLimiter.reset();
    },
  };
}

function requireWebapp({ world }: ExchangeParts, webapp: number): void {
  if (!world.webapps.some(({ id }) => id === webapp)) throw new ControlError('webapp', 'is not there');
}

function detach({ world }: ExchangeParts, wanted: { name: string; webapp?: number }): Domain {
  const domain = domainsOf(world, wanted.webapp ?? DEFAULT_WEBAPP_ID).find(
    ({ name }) => name === wanted.name,
  );
  if (domain === undefined) throw new ControlError('name', 'is not attached');
  removeDomain(world, domain);
  return domain;
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
    // A client that went away, the simulator closing, or a bug in it: the last must be seen by the caller.
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
