// The levers of one simulator as functions: what a test pulls in code, and what control.ts offers over HTTP.

import { ControlError } from './control-fields.ts';
import type { DnsRecord } from './dns-records.ts';
import { parseDnsName, parseDnsRecord } from './dns-records.ts';
import type { EdgeAddresses } from './edge.ts';
import type { ExchangeParts } from './exchange.ts';
import type { FaultRule } from './fault-rules.ts';
import type { FaultStatus } from './faults.ts';
import { settleOrders } from './issuance.ts';
import type { Lie } from './lies.ts';
import { parseLie } from './lies.ts';
import { addLogEntry } from './log.ts';
import type { Seed } from './seed.ts';
import { createWorld, DEFAULT_WEBAPP_ID, toDomain } from './seed.ts';
import type { DomainChange } from './seed-check.ts';
import type { Settings } from './settings.ts';
import { parseSettings } from './settings.ts';
import type { SimulatorState } from './state.ts';
import { createState } from './state.ts';
import type { Variants } from './variants.ts';
import { parseVariants } from './variants.ts';
import type { Domain, LogKind, Server } from './world.ts';
import { addDomain, domainsOf, removeDomain } from './world.ts';

/** What is behind RunCloud. Without an edge nobody sees it but the simulated Let's Encrypt. */
export interface EdgeControls {
  /** The whole of what the DNS says of this name from now on. */
  setDns: (name: string, record: DnsRecord) => void;
  /** From now on the name says what unknown names say (setting `defaultDns`). */
  removeDns: (name: string) => void;
  /** Shows something else for this name; undefined: the truth again. */
  serve: (name: string, lie?: Lie) => void;
}

export interface LogLine {
  content: string;
  /** Default Info. */
  kind?: LogKind;
  webapp?: number;
}

/** The addresses of the two servers, with the levers that belong to them. */
export interface Edge extends EdgeAddresses, EdgeControls {}

export interface SimulatorControls extends EdgeControls {
  /** May be written to directly; setVariants checks what it is given. */
  readonly variants: Variants;
  readonly settings: Settings;
  readonly state: SimulatorState;
  /** Where option `edge` was given. */
  readonly edge?: Edge;
  setVariants: (patch: Partial<Variants>) => Variants;
  setSettings: (patch: Partial<Settings>) => Settings;
  addFault: (rule: FaultRule) => FaultStatus;
  removeFault: (id: number) => void;
  clearFaults: () => void;
  /** Finishes all pending orders now, whatever the lag. */
  finishOrders: () => void;
  /** As somebody would in RunCloud's own screens: no call, no certificate. */
  attachDomain: (domain: DomainChange) => Domain;
  detachDomain: (domain: { name: string; webapp?: number }) => Domain;
  /** The server has another address from now on. Default: the first server. */
  moveServer: (to: { ipAddress: string; server?: number }) => Server;
  /** A line of a web application's log, now; what else RunCloud writes there is none of an API client's doing. */
  log: (entry: LogLine) => void;
  /** Back to the start, or to another seed: world, DNS, lies, variants, settings, faults, calls, rate limit. */
  reset: (seed?: Seed) => void;
}

export function createControls(parts: ExchangeParts, options: { seed?: Seed }): SimulatorControls {
  const { variants, settings, faults, world, now } = parts;
  const first = structuredClone({ variants, settings });
  // What is due was decided by what was true before the change.
  const settled = <T>(change: () => T): T => {
    settleOrders(parts, now());
    return change();
  };
  return {
    variants,
    settings,
    state: createState(parts),
    setVariants: (patch) => settled(() => Object.assign(variants, parseVariants(patch))),
    setSettings: (patch) => settled(() => Object.assign(settings, parseSettings(patch))),
    addFault: (rule) => faults.add(rule),
    removeFault: (id) => faults.remove(id),
    clearFaults: () => faults.clear(),
    finishOrders: () => {
      for (const order of world.orders) if (order.status === 'pending') order.readyAt = now();
      settleOrders(parts, now());
    },
    ...createEdgeControls(parts, settled),
    attachDomain: ({ webapp = DEFAULT_WEBAPP_ID, ...domain }) => {
      requireWebapp(parts, webapp);
      return addDomain(world, toDomain(domain, webapp, now()));
    },
    detachDomain: (which) => detach(parts, which),
    moveServer: ({ ipAddress, server }) =>
      settled(() => {
        const moved = world.servers.find(({ id }) => id === (server ?? world.servers[0]?.id));
        if (moved === undefined) throw new ControlError('server', 'is not there');
        return Object.assign(moved, { ipAddress });
      }),
    log: ({ content, kind = 'Info', webapp = DEFAULT_WEBAPP_ID }) => {
      requireWebapp(parts, webapp);
      addLogEntry(world, { webappId: webapp, kind, content, createdAt: now() });
    },
    reset: (seed = options.seed ?? {}) => {
      Object.assign(variants, first.variants);
      Object.assign(settings, first.settings);
      Object.assign(world, createWorld(seed, now(), settings));
      faults.clear();
      parts.callLog.clear();
      parts.rateLimiter.reset();
    },
  };
}

function createEdgeControls({ world }: ExchangeParts, settled: (change: () => void) => void): EdgeControls {
  return {
    setDns: (name, record) => {
      const [key, entry] = [parseDnsName(name), parseDnsRecord(record)];
      settled(() => world.dns.set(key, entry));
    },
    removeDns: (name) => settled(() => world.dns.delete(parseDnsName(name))),
    serve: (name, lie) => {
      const [key, shown] = [parseDnsName(name), parseLie(lie)];
      if (shown === null) world.lies.delete(key);
      else world.lies.set(key, shown);
    },
  };
}

function requireWebapp({ world }: ExchangeParts, webapp: number): void {
  if (!world.webapps.some(({ id }) => id === webapp)) throw new ControlError('webapp', 'is not there');
}

function detach({ world }: ExchangeParts, which: { name: string; webapp?: number }): Domain {
  const domain = domainsOf(world, which.webapp ?? DEFAULT_WEBAPP_ID).find(({ name }) => name === which.name);
  if (domain === undefined) throw new ControlError('name', 'is not attached');
  removeDomain(world, domain);
  return domain;
}
