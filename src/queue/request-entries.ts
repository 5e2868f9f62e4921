// The audit log's entries of requests: of the command line, the API, and external producers.
// Pure.
import type { AuditRecord, AuditVerb } from '../audit/audit.ts';
import type { JobName } from '../jobs/catalog.ts';
import type { Receipt } from './receipt.ts';

type Entry = Pick<AuditRecord, 'what' | 'domains' | 'for' | 'detail'>;

/** What one entry has to know of one request. */
export type Requested = Pick<Receipt, 'domain' | 'appId' | 'for'> & { readonly jobId?: string };

const verbs: Readonly<Record<JobName, AuditVerb>> = {
  'add-domain': 'add',
  'remove-domain': 'remove',
  'redeploy-ssl': 'redeploy',
};

const SHOWN = 5;

/** Any number of requests of one kind, by one requester. */
export function toRequestEntry(name: JobName, requests: readonly Requested[]): Entry {
  const apps = listed(requests.map(({ appId }) => String(appId)));
  const [first, ...others] = requests;
  const job = first?.jobId !== undefined && others.length === 0 ? `, job ${first.jobId}` : '';
  return {
    what: verbs[name],
    domains: requests.flatMap(({ domain }) => domain ?? []),
    for: listed(requests.flatMap((request) => request.for ?? [])) || undefined,
    detail: `web application ${apps}${job}`,
  };
}

function listed(texts: readonly string[]): string {
  const different = [...new Set(texts)];
  const more = different.length > SHOWN ? ` and ${different.length - SHOWN} more` : '';
  return `${different.slice(0, SHOWN).join(', ')}${more}`;
}
