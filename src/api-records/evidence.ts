// What the last look at a domain saw, and which DNS records have to change, as the HTTP API and `--json` show it. Times are ISO 8601.
import { z } from 'zod';
import type { DomainRecord, Evidence } from '../domains/domain.ts';
import { toRecordChanges } from '../probes/dns-records.ts';
import type { DnsRecord, DnsRecordChanges } from '../probes/findings.ts';
import { iso, time } from './fields.ts';

const MORE = z.int().optional().meta({ description: 'How many more there are than are shown' });

const dnsFinding = z.object({
  name: z.string(),
  verdict: z.string(),
  sentence: z.string(),
  doubt: z.string().optional().meta({ description: 'What could not be judged of a name that looks right' }),
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
    .meta({ description: 'Records any of which does as well in its place' }),
  proxied: z
    .literal(false)
    .nullable()
    .meta({ description: "`false`: right only with the CDN's proxy off for it; null: does not apply" }),
});

export const dnsRecords = z
  .object({ set: z.array(dnsRecord), remove: z.array(dnsRecord), unsure: z.array(dnsRecord) })
  .nullable()
  .meta({
    description:
      'The DNS records to set and to remove, by the last look; `unsure`: what would be right where DNS could not be judged. All empty: nothing to change. null: DNS was not looked at, or is not needed',
  });

export const evidence = z
  .object({ at: time, dns: z.array(dnsFinding), tls: z.array(tlsFinding) })
  .nullable()
  .meta({ description: 'What the last look at DNS and at the server saw' });

/** What has to change in DNS so that it goes on; undefined where that is not known, or not needed. */
export const dnsRecordsOf = ({ desired, evidence }: DomainRecord): DnsRecordChanges | undefined =>
  desired.presence === 'present' && evidence ? toRecordChanges(evidence.dns) : undefined;

/** As API, `--json` and callbacks show them: the same fields. */
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
