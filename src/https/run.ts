// One run of the proof: what it gets, and what it returns.
import type { Certificates } from '../certificates/certificates.ts';
import type { Ledger } from '../certificates/ledger.ts';
import type { DomainKey } from '../domains/domain.ts';
import type { Outcome } from '../domains/outcome.ts';
import type { DomainStore } from '../domains/store.ts';
import type { Facts } from '../runcloud/facts.ts';
import type { LogReader } from '../runcloud/log-reader.ts';
import type { AttachedDomain } from '../runcloud/runcloud.ts';
import type { ProbeSettings, ProbeWork } from './dns-gate.ts';
import type { Probe, Probed } from './probe.ts';

export interface HttpsPorts {
  readonly probe: Probe;
  readonly facts: Facts;
  /** RunCloud's own log of the web application, which may say why a certificate failed. */
  readonly runcloudLog: LogReader;
  readonly ledger: Pick<Ledger, 'last' | 'failed' | 'issued'>;
  readonly certificates: Pick<Certificates, 'get' | 'redeployOf' | 'reinstate'>;
  readonly store: Pick<DomainStore, 'now' | 'noteObserved' | 'forgetObserved' | 'ownerOf'>;
  readonly requestRedeploy: (changed: DomainKey) => Promise<void>;
  readonly settings: HttpsSettings;
}

export interface HttpsSettings extends ProbeSettings {
  /** CERTIFICATE_DEADLINE */
  readonly certificateDeadlineMs: number;
}

export interface Attached {
  /** By our own write, and no redeploy was requested since. */
  readonly needsRedeploy: boolean;
  /** How RunCloud has it, if this run has read its list. */
  readonly observed?: AttachedDomain | undefined;
}

/** Result of the proof: an outcome, or the www name has to be switched on RunCloud first. */
export type Proven = Outcome | WwwChange;

export interface WwwChange {
  readonly kind: 'change';
  readonly www: boolean;
  /** The outcome if RunCloud rejects the change, and why. */
  readonly otherwise: (why?: string) => Promise<Outcome>;
}

/** One run of the proof. */
export interface Run extends ProbeWork, Probed {
  /** How it came to be attached. */
  readonly sentence: string;
  /** This run has read RunCloud's list. */
  readonly isObserved: boolean;
}
