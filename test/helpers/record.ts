// One record as tables of the pure parts start from it: asked for, nothing done yet.

import type { DomainRedeploy } from '../../src/certificates/domain-redeploys.ts';
import type { DomainRecord } from '../../src/domains/domain.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';

export const recordOf = (facts: Partial<DomainRecord> = {}): DomainRecord => ({
  serverId: 1903,
  appId: 646,
  domain: parseDomainName('shop.example.org'),
  desired: { presence: 'present', www: false, redirection: 'none' },
  request: 'pending',
  state: 'requested',
  stateAt: 1000,
  mustAct: undefined,
  attachedAt: 0,
  observedAt: 0,
  attachedWww: undefined,
  setWww: undefined,
  evidence: undefined,
  generation: 7,
  jobId: 'shop.example.org_1903_646~7',
  requestedAt: 1000,
  place: 0,
  by: undefined,
  for: undefined,
  siteId: undefined,
  wroteAt: 0,
  lateUntil: { attach: 0, change: 0, detach: 0 },
  changesTo: undefined,
  shownBy: { attach: 0, change: 0, detach: 0 },
  touchedAt: 0,
  needsRedeployAfter: undefined,
  renewals: 0,
  attachedId: undefined,
  outcome: undefined,
  reasonCode: undefined,
  code: undefined,
  outcomeAt: undefined,
  nextRunAt: undefined,
  ...facts,
});

/** What the redeploy says to a domain: nothing yet. */
export const toldOf = (facts: Partial<DomainRedeploy> = {}): DomainRedeploy => ({
  isPending: false,
  state: undefined,
  outcome: undefined,
  reasonCode: undefined,
  code: undefined,
  mustAct: undefined,
  outcomeAt: undefined,
  nextRunAt: undefined,
  ...facts,
});
