// The findings of the last check of a domain, and the DNS records to change, in the HTTP API and in
// `--json`. Times are ISO 8601.
import { z } from 'zod';
import type { DomainRecord, Evidence } from '../domains/domain.ts';
import { toRecordChanges } from '../probes/dns-records.ts';
import type { DnsRecord, DnsRecordChanges } from '../probes/findings.ts';
import { iso, time } from './fields.ts';

const MORE = z.int().optional().meta({ description: 'How many more there are' });

const dnsFinding = z.object({
  name: z.string(),
  verdict: z.string(),
  sentence: z.string(),
  doubt: z
    .string()
    .optional()
    .meta({ description: 'What could not be checked, although the name seems right' }),
  expected: z.array(z.string()),
  observed: z.object({
    a: z.array(z.string()),
    aaaa: z.array(z.string()),
    cname: z.array(z.string()),
    caa: z.array(z.string()),
    more: MORE,
  }),
});

const tlsFinding = z.object({
  name: z.string(),
  verdict: z.string(),
  sentence: z.string(),
  address: z.string(),
  httpStatus: z.int().optional(),
  certificate: z
    .object({
      subject: z.string(),
      issuer: z.string(),
      names: z.array(z.string()),
      notBefore: time,
      notAfter: time,
      moreNames: MORE,
    })
    .nullable(),
});

const recordType = z.enum(['A', 'AAAA', 'CNAME', 'CAA']);

const dnsRecord = z.object({
  name: z.string(),
  type: recordType,
  value: z.string(),
  alternatives: z
    .array(z.object({ type: recordType, value: z.string() }))
    .meta({ description: 'Any one of these records works too' }),
  proxied: z
    .literal(false)
    .nullable()
    .meta({ description: "`false`: the CDN's proxy must be off for this record. Null: does not apply." }),
});

export const dnsRecords = z
  .object({ set: z.array(dnsRecord), remove: z.array(dnsRecord), unsure: z.array(dnsRecord) })
  .nullable()
  .meta({
    description:
      'The DNS records to set and to remove, by the last check. `unsure`: the expected records where DNS could not be checked. All empty: nothing to change. Null: DNS was not checked, or is not needed.',
  });

export const evidence = z
  .object({ at: time, dns: z.array(dnsFinding), tls: z.array(tlsFinding) })
  .nullable()
  .meta({ description: 'The findings of the last check of DNS and of the server' });

/** The DNS changes that the domain waits for; undefined: not known, or not needed. */
export const dnsRecordsOf = ({ desired, evidence }: DomainRecord): DnsRecordChanges | undefined =>
  desired.presence === 'present' && evidence ? toRecordChanges(evidence.dns) : undefined;

/** The same fields in the API, in `--json` and in callbacks. */
export const toDnsRecords = (changes: DnsRecordChanges | undefined): z.output<typeof dnsRecords> =>
  changes ? { set: copy(changes.set), remove: copy(changes.remove), unsure: copy(changes.unsure) } : null;

const copy = (records: readonly DnsRecord[]) =>
  records.map((record) => ({ ...record, alternatives: [...record.alternatives] }));

export const toEvidence = ({ at, dns, tls }: Evidence): z.output<typeof evidence> => ({
  at: iso(at),
  dns: dns.map(({ changes: _, expected, observed: { a, aaaa, cname, caa, ...observed }, ...finding }) => ({
    ...finding,
    expected: [...expected],
    observed: { ...observed, a: [...a], aaaa: [...aaaa], cname: [...cname], caa: [...caa] },
  })),
  tls: tls.map(({ certificate, ...finding }) => ({
    ...finding,
    certificate: certificate
      ? {
          ...certificate,
          names: [...certificate.names],
          notBefore: iso(certificate.notBefore),
          notAfter: iso(certificate.notAfter),
        }
      : null,
  })),
});
