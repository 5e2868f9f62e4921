// What tests, the demo and the command line may use of the simulator. Re-exports only.
export type { Credentials } from './authentication.ts';
export { DEFAULT_CREDENTIALS } from './authentication.ts';
export type { Call, Counters } from './calls.ts';
export { findOverlappingWrites, isWrite } from './calls.ts';
export { CONTROL_PREFIX } from './control.ts';
export { ControlError } from './control-fields.ts';
export type { Edge, EdgeControls, SimulatorControls } from './controls.ts';
export type { CaaRecord, DnsFailure, DnsRecord } from './dns-records.ts';
export type { EdgeAddresses, EdgeOptions } from './edge.ts';
export type { FaultKind, FaultRule } from './fault-rules.ts';
export { FAULT_KINDS } from './fault-rules.ts';
export type { FaultStatus } from './faults.ts';
export type { Lie } from './lies.ts';
export { PLANTED_SECRETS } from './planted-secrets.ts';
export type { Operation } from './routes.ts';
export { OPERATIONS } from './routes.ts';
export type { Seed, SeedDomain, SeedServer, SeedWebapp } from './seed.ts';
export {
  DEFAULT_IP_ADDRESS,
  DEFAULT_PRIMARY_DOMAIN,
  DEFAULT_SERVER_ID,
  DEFAULT_WEBAPP_ID,
} from './seed.ts';
export type { Settings } from './settings.ts';
export { DEFAULT_SETTINGS } from './settings.ts';
export type { EdgedSimulator, Simulator, SimulatorOptions } from './simulator.ts';
export { createSimulator } from './simulator.ts';
export type { CertificateState, OrderState, SimulatorState, Snapshot, WebappState } from './state.ts';
export { VARIANT_TABLE } from './variant-table.ts';
export type { VariantCase, VariantName, Variants } from './variants.ts';
export { defaultVariants, VARIANT_CASES, VARIANT_NAMES } from './variants.ts';
export type { Certificate, Domain, Limit, Server, Webapp } from './world.ts';
