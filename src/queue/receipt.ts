// The options of a request, and its receipt. Types, and one pure function.
import type { DomainName } from '../domains/domain-name.ts';
import type { ParsedJob } from '../jobs/catalog.ts';

/** What a request is answered with. `coalesced`: the same request was on its way already, under this job. */
export interface Receipt {
  readonly jobId: string;
  readonly coalesced: boolean;
  /** In its ASCII form; undefined for a redeploy of all domains. */
  readonly domain: DomainName | undefined;
  /** The web application that was meant. */
  readonly serverId: number;
  readonly appId: number;
  /** For whom, as the payload's `requestedBy` says. */
  readonly for: string | undefined;
  /** Fields of the payload that no job knows; they were left out. */
  readonly unknownFields: readonly string[];
  /** What the caller should know besides, in a sentence: that www gave way to a record of its own. */
  readonly remark?: string | undefined;
}

export interface EnqueueOptions {
  /** Part of a bulk import: everything else goes first. */
  readonly bulk?: boolean;
}

/** For our own writers only. */
export interface RequestOptions extends EnqueueOptions {
  /** The requester. Default: `producer`. */
  readonly by?: string;
  /** True: throws ElsewhereError if the request names no web application and another one has the domain. */
  readonly refuseElsewhere?: boolean;
}

/** What a job is about, as receipts and the audit log name it. */
export function subjectOf(job: ParsedJob): Pick<Receipt, 'domain' | 'serverId' | 'appId' | 'for'> {
  const { serverId, appId } = job.name === 'redeploy-ssl' ? job.app : job.request;
  const { domain, for: behalf } =
    job.name === 'redeploy-ssl' ? { ...job.requester, domain: job.domain } : job.request;
  return { domain, serverId, appId, for: behalf };
}
