// The client's types are held to the schemas by the compiler (test/helpers/client-types.ts); this counts the fields, since a type with
// fewer would fit too.
import { expect, test } from '@jest/globals';
import { domainRecord } from '../../src/api-records/domains.ts';
import type { AddDomainPayload, RedeploySslPayload, RemoveDomainPayload } from '../../src/client/client.ts';
import type { DomainStatus } from '../../src/client/domain-status.ts';
import { type JobName, payloadSchemas } from '../../src/jobs/catalog.ts';

/** Each field once; a field too few or too many does not compile. */
const payloadFields: {
  readonly 'add-domain': Record<Exclude<keyof AddDomainPayload, 'also'>, true>;
  readonly 'remove-domain': Record<keyof RemoveDomainPayload, true>;
  readonly 'redeploy-ssl': Record<keyof RedeploySslPayload, true>;
} = {
  'add-domain': {
    domain: true,
    serverId: true,
    appId: true,
    siteId: true,
    requestedBy: true,
    www: true,
    redirection: true,
  },
  'remove-domain': { domain: true, serverId: true, appId: true, siteId: true, requestedBy: true },
  'redeploy-ssl': { domain: true, serverId: true, appId: true, requestedBy: true },
};

const statusFields: Record<keyof DomainStatus, true> = {
  domain: true,
  serverId: true,
  appId: true,
  siteId: true,
  desired: true,
  state: true,
  since: true,
  reason: true,
  reasonCode: true,
  code: true,
  fix: true,
  mustAct: true,
  request: true,
  jobId: true,
  requestedAt: true,
  by: true,
  for: true,
  nextCheckAt: true,
  dnsRecords: true,
  evidence: true,
  job: true,
  certificate: true,
  redeploy: true,
  history: true,
  budgets: true,
};

test('a payload has the fields of its schema', () => {
  for (const [name, fields] of Object.entries(payloadFields))
    expect(Object.keys(fields).sort()).toEqual(Object.keys(payloadSchemas[name as JobName].shape).sort());
});

test('a status has the fields of the record', () => {
  expect(Object.keys(statusFields).sort()).toEqual(Object.keys(domainRecord.shape).sort());
});
