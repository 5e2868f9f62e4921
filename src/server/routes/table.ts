// The table of all routes: the only source of validation, types, the OpenAPI document and the
// security tests.
import { listAudit } from './audit.ts';
import { postBatch } from './batch.ts';
import { listDeliveries, replayDelivery } from './callbacks.ts';
import { postRedeploy } from './certificates.ts';
import { getDocsPage, getDocument } from './documents.ts';
import { deleteDomain, getDomain, postDomain } from './domains.ts';
import { getJob, retryJob, retryJobs } from './jobs.ts';
import { listDomains } from './list.ts';
import { deletePause, listPauses, postPause } from './pauses.ts';
import type { Route } from './route.ts';

export const routes: readonly Route[] = [
  postDomain,
  deleteDomain,
  getDomain,
  listDomains,
  postBatch,
  postRedeploy,
  getJob,
  retryJob,
  retryJobs,
  postPause,
  deletePause,
  listPauses,
  listAudit,
  listDeliveries,
  replayDelivery,
  getDocument,
  getDocsPage,
];
