// Why a domain, or the redeploy of a certificate, is where it is: a code beside each sentence. Programs read the code, people the
// sentence. Where something went wrong the reason's code is the error's (errors.ts). Imports the table of errors only.
import type { Code } from '../errors.ts';

/** Reason codes are API: once published, a code keeps its meaning. docs/reference/reason-codes.md is generated from this table. */
export const reasons = {
  requested: { meaning: 'Somebody requested that the domain be attached.' },
  attaching: { meaning: 'The worker is attaching the domain in RunCloud.' },
  paused: { meaning: 'A person paused all jobs, or those of the web application or site.' },
  'removal-requested': { meaning: 'Somebody requested that the domain be removed.' },
  'runcloud-outage': { meaning: 'RunCloud does not answer, or answers with errors only. All jobs wait.' },
  'receiver-error': { meaning: 'The receiver of a callback answered with an error status.' },
  'receiver-gone': { meaning: 'The receiver of a callback answered 410: the message is not sent again.' },
  'receiver-redirects': {
    meaning: 'The receiver of a callback answered with a redirect, which is never followed.',
  },
  'receiver-timeout': { meaning: 'The receiver of a callback did not answer in time.' },
  'receiver-unreachable': { meaning: 'There was no connection to the receiver of a callback.' },
  'receiver-circuit-open': { meaning: 'The receiver accepted no message for three days.' },
  'worker-stopping': { meaning: 'The worker stopped during the attempt. Another worker sends the message.' },
  'callback-forged': { meaning: 'No worker wrote this delivery, or somebody changed it. It was not sent.' },
  'callback-unreadable': { meaning: 'The data of this delivery cannot be read. It was not sent.' },
  'callback-url-removed': { meaning: 'The URL was not in CALLBACK_URLS for three days.' },
} as const satisfies Record<string, { readonly meaning: string }>;

/** A reason of ours, or the code of the error that is the reason. */
export type ReasonCode = keyof typeof reasons | Code;
