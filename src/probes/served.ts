// Reads a server's certificate into plain values. Judges nothing.
// The judge gets it as the server sent it; what is kept is cleaned and bounded.
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { ServedCertificate } from './findings.ts';
import { isExternalName, isOwnName } from './own-name.ts';
import { toShownName } from './shown-text.ts';

/**
 * Let's Encrypt's own limit (letsencrypt.org/docs/rate-limits). A stranger's certificate may have
 * thousands.
 */
const maxNames = 100;

function toFirst(field: string | string[] | undefined): string {
  return (Array.isArray(field) ? field[0] : field) ?? '';
}

/**
 * One after the other from the start (`y`). What is no name ends the list, and nothing is read
 * twice.
 */
const ALT_NAME = /[^:,"]+:(?:"(?:[^"\\]|\\.)*"|[^,"]*)(?:, *|$)/gy;

/** Node writes a name with odd characters in quotes: `DNS:a.example, DNS:"b, c"`. */
export function parseAltNames(text: string | undefined): readonly string[] {
  const parts = (text ?? '').match(ALT_NAME)?.map((part) => part.replace(/, *$/, '')) ?? [];
  return parts
    .filter((part) => part.startsWith('DNS:'))
    .map((part) => part.slice('DNS:'.length).replace(/^"|"$/g, '').trim());
}

function toServed(certificate: PeerCertificate): ServedCertificate {
  const { subject, issuer } = certificate;
  return {
    subject: toFirst(subject?.CN),
    issuer: [toFirst(issuer?.O), toFirst(issuer?.CN)].filter((part) => part !== '').join(' '),
    names: parseAltNames(certificate.subjectaltname),
    notBefore: Date.parse(certificate.valid_from),
    notAfter: Date.parse(certificate.valid_to),
  };
}

export function readCertificate(socket: TLSSocket): ServedCertificate | undefined {
  const certificate: PeerCertificate | null = socket.getPeerCertificate();
  // Without a certificate Node gives an empty object.
  return certificate === null || certificate.valid_to === undefined ? undefined : toServed(certificate);
}

/**
 * For the record of `name`, which is written at each check. A hostile server must not fill Redis.
 * Other customers' names are counted, not kept.
 */
export function toKeptCertificate(served: ServedCertificate, name: string): ServedCertificate {
  const { subject, issuer } = served;
  const names = served.names.filter((text) => isOwnName(text, name)).slice(0, maxNames);
  const moreNames = served.names.length - names.length;
  return {
    ...served,
    subject: isOwnName(subject, name) ? toShownName(subject) : '',
    issuer: isExternalName(issuer, name) ? '' : toShownName(issuer),
    names: names.map(toShownName),
    ...(moreNames > 0 && { moreNames }),
  };
}
