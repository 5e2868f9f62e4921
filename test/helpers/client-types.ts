// Checked by the compiler alone: the client's types are plain, so that HTTP needs no schema library, and must say what the schemas say.
import type { z } from 'zod';
import type { domainRecord } from '../../src/api-records/domains.ts';
import type {
  AddDomainPayload,
  Receipt,
  RedeploySslPayload,
  RemoveDomainPayload,
} from '../../src/client/client.ts';
import type { DomainStatus } from '../../src/client/domain-status.ts';
import type { JobName, payloadSchemas } from '../../src/jobs/catalog.ts';
import type { addDomain, receipt } from '../../src/server/routes/domains.ts';

/** Any value of `A` is one of `B`. */
type Fits<A extends B, B> = A;

/** `domain` may be anything for the schema, which says what is wrong with it. */
type Input<N extends JobName> = Omit<z.input<(typeof payloadSchemas)[N]>, 'domain'>;

export type Checks = [
  Fits<Omit<AddDomainPayload, 'domain'>, Omit<z.input<typeof addDomain>, 'domain'>>,
  Fits<Omit<z.input<typeof addDomain>, 'domain'>, Omit<AddDomainPayload, 'domain'>>,
  Fits<Omit<RemoveDomainPayload, 'domain'>, Input<'remove-domain'>>,
  Fits<Input<'remove-domain'>, Omit<RemoveDomainPayload, 'domain'>>,
  Fits<Omit<RedeploySslPayload, 'domain'>, Input<'redeploy-ssl'>>,
  Fits<Input<'redeploy-ssl'>, Omit<RedeploySslPayload, 'domain'>>,
  Fits<z.output<typeof domainRecord>, DomainStatus>,
  Fits<Mutable<DomainStatus>, z.output<typeof domainRecord>>,
  Fits<Omit<z.output<typeof receipt>, 'state'>, Receipt>,
];

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
