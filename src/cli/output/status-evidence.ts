// What the last check observed, in lines: DNS, certificate, HTTP. Pure. The texts come from other
// servers, so they are cleaned before they reach a terminal.
import type { Evidence } from '../../domains/domain.ts';
import type { DnsFinding, TlsFinding } from '../../probes/findings.ts';
import { toShownText } from '../../probes/shown-text.ts';
import { checkedHeading } from './status-messages.ts';
import { toRelative } from './times.ts';

export function describeEvidence({ at, dns, tls }: Evidence, nowMs: number): string[] {
  const lines = [...dns.map(describeDns), ...tls.map(describeTls)];
  return lines.length > 0 ? [checkedHeading(toRelative(at, nowMs)), ...lines.map((line) => `  ${line}`)] : [];
}

function describeDns({ name, verdict, doubt, observed }: DnsFinding): string {
  const records = [
    ...observed.cname.slice(0, 1).map((target) => `CNAME ${target}`),
    ...observed.a.map((address) => `A ${address}`),
    ...observed.aaaa.map((address) => `AAAA ${address}`),
    ...observed.caa.map((record) => `CAA ${record}`),
  ];
  const more = observed.more ? ` and ${observed.more} more` : '';
  const shown = records.map((record) => toShownText(record)).join(', ') || 'no record';
  return `DNS of ${name}: ${shown}${more} (${verdict})${doubt ? `; ${doubt}` : ''}`;
}

const SHOWN_NAMES = 4;

function describeTls({ name, verdict, sentence, certificate, httpStatus }: TlsFinding): string {
  const http = httpStatus === undefined ? '' : `; HTTP ${httpStatus}`;
  if (!certificate) return `HTTPS of ${name}: ${sentence}${http}`;
  const { names, moreNames = 0, issuer, notAfter } = certificate;
  const hidden = Math.max(0, names.length - SHOWN_NAMES) + moreNames;
  const rest = hidden > 0 ? [`${hidden} other name${hidden === 1 ? '' : 's'}`] : [];
  const own = names.slice(0, SHOWN_NAMES).map((shown) => toShownText(shown));
  const shown = [...(own.length > 0 ? [own.join(', ')] : []), ...rest].join(' and ') || 'no name';
  const what = `certificate for ${shown}, by ${toShownText(issuer) || 'nobody'}, valid until ${toDay(notAfter)}`;
  return `HTTPS of ${name}: ${what} (${verdict})${http}`;
}

const toDay = (atMs: number): string =>
  Number.isNaN(new Date(atMs).getTime()) ? 'an unknown day' : new Date(atMs).toISOString().slice(0, 10);
