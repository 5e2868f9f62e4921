// The state of the simulator for tests: what it has, which calls it got, what it did. Reading changes nothing
// except that certificates whose time has come are shown as issued.
import type { Call, CallLog, Counters } from './calls.ts';
import { findOverlappingWrites } from './calls.ts';
import type { DnsRecord } from './dns-records.ts';
import type { FaultStatus, Faults } from './faults.ts';
import { settleOrders } from './issuance.ts';
import type { Lie } from './lies.ts';
import { DEFAULT_WEBAPP_ID } from './seed.ts';
import type { Settings } from './settings.ts';
import type { Variants } from './variants.ts';
import type { Certificate, Domain, LogEntry, Order, Server, Webapp, World } from './world.ts';
import { certificatesOf, coveredNamesOf, domainsOf } from './world.ts';

export interface CertificateState extends Certificate {
  /** Names of the orders under way. */
  pendingNames: string[];
}

export interface OrderState extends Omit<Order, 'certificate'> {
  certificateId: number;
  webappId: number;
}

export interface WebappState extends Webapp {
  domains: Domain[];
  certificates: CertificateState[];
  coveredNames: string[];
  certificateOrders: number;
}

export interface Snapshot {
  servers: Server[];
  webapps: WebappState[];
  certificateOrders: number;
  limitBreaches: number;
  dns: Record<string, DnsRecord>;
  log: LogEntry[];
  /** What the web server shows instead of the truth, by name. */
  lies: Record<string, Lie>;
  counters: Counters;
  faults: FaultStatus[];
  variants: Variants;
  settings: Settings;
}

export interface SimulatorState {
  readonly calls: readonly Call[];
  readonly counters: Counters;
  /** Let's Encrypt orders since the start or the last reset. */
  readonly certificateOrders: number;
  /** The same, oldest first. */
  readonly orders: OrderState[];
  /** How many of them one of Let's Encrypt's limits refused. */
  readonly limitBreaches: number;
  readonly faults: FaultStatus[];
  /** Default: of web application 646. */
  domains: (webapp?: number) => Domain[];
  certificates: (webapp?: number) => CertificateState[];
  coveredNames: (webapp?: number) => string[];
  overlappingWrites: (options?: { by?: 'domain' | 'webapp'; graceMs?: number }) => [Call, Call][];
  /** Everything but the calls and the orders, as plain data. */
  snapshot: () => Snapshot;
}

interface StateParts {
  world: World;
  variants: Variants;
  settings: Settings;
  callLog: CallLog;
  faults: Faults;
  now: () => number;
}

export function createState(parts: StateParts): SimulatorState {
  const { world, callLog, faults, now } = parts;
  const settled = (): World => {
    settleOrders(parts, now());
    return world;
  };
  return {
    get calls() {
      return callLog.calls;
    },
    get counters() {
      return callLog.counters();
    },
    get certificateOrders() {
      return world.orders.length;
    },
    get orders() {
      return settled().orders.map(toOrder);
    },
    get limitBreaches() {
      return countBreaches(world);
    },
    get faults() {
      return faults.list();
    },
    domains: (webapp = DEFAULT_WEBAPP_ID) => structuredClone(domainsOf(world, webapp)),
    certificates: (webapp = DEFAULT_WEBAPP_ID) => toCertificates(settled(), webapp),
    coveredNames: (webapp = DEFAULT_WEBAPP_ID) => coveredNamesOf(settled(), webapp),
    overlappingWrites: (options) => findOverlappingWrites(callLog.calls, options),
    snapshot: () => toSnapshot(parts, settled()),
  };
}

function toSnapshot({ variants, settings, callLog, faults }: StateParts, world: World): Snapshot {
  const webapps = world.webapps.map((webapp) => ({
    ...webapp,
    domains: domainsOf(world, webapp.id),
    certificates: toCertificates(world, webapp.id),
    coveredNames: coveredNamesOf(world, webapp.id),
    certificateOrders: world.orders.filter(({ certificate }) => certificate.webappId === webapp.id).length,
  }));
  return structuredClone({
    servers: world.servers,
    webapps,
    certificateOrders: world.orders.length,
    limitBreaches: countBreaches(world),
    dns: toDns(world),
    log: world.log,
    lies: Object.fromEntries(world.lies),
    counters: callLog.counters(),
    faults: faults.list(),
    variants,
    settings,
  });
}

const toOrder = ({ certificate, ...order }: Order): OrderState => ({
  ...structuredClone(order),
  certificateId: certificate.id,
  webappId: certificate.webappId,
});

const countBreaches = ({ orders }: World): number =>
  orders.filter(({ refusedBy }) => refusedBy !== null).length;

/** As setDns takes it. */
function toDns({ dns }: World): Record<string, DnsRecord> {
  const entries = [...dns].map(([name, { cname, fails, ...lists }]): [string, DnsRecord] => [
    name,
    { ...(cname === null ? lists : { cname }), ...(fails !== null && { fails }) },
  ]);
  return Object.fromEntries(entries);
}

function toCertificates(world: World, webappId: number): CertificateState[] {
  return certificatesOf(world, webappId).map((certificate) => {
    const pending = world.orders.filter(
      (order) => order.certificate === certificate && order.status === 'pending',
    );
    const pendingNames = [...new Set(pending.flatMap(({ names }) => names))];
    return { ...structuredClone(certificate), pendingNames };
  });
}
