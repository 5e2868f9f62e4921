// Why a domain, or the redeploy of a certificate, is where it is: a code beside each sentence. Programs read the code, people the
// sentence. Where something went wrong the reason's code is the error's (errors.ts). Imports the table of errors only.
import type { Code } from '../errors.ts';

/** Reason codes are API: once published, a code keeps its meaning. docs/reference/reason-codes.md is generated from this table. */
export const reasons = {
  requested: { meaning: 'Somebody requested that the domain be attached.' },
  attaching: { meaning: 'The worker is attaching the domain in RunCloud.' },
  'removal-requested': { meaning: 'Somebody requested that the domain be removed.' },
} as const satisfies Record<string, { readonly meaning: string }>;

/** A reason of ours, or the code of the error that is the reason. */
export type ReasonCode = keyof typeof reasons | Code;
