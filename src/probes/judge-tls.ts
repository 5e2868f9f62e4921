// What a server's certificate means for a name: one verdict, one sentence. Pure: no handshake here.
// A stranger wrote the texts in a certificate, so they are cut and cleaned before they are
// repeated.
import { checkServerIdentity } from 'node:tls';
import type { ServedCertificate, TlsVerdict } from './findings.ts';
import * as messages from './messages.ts';
import { isExternalName, isOwnName, isPlainName } from './own-name.ts';
import { toShownText } from './shown-text.ts';

export interface TlsCircumstances {
  /** OpenSSL's code for a fault of the chain. The name is judged here. */
  readonly authorizationError: string | undefined;
  readonly nowMs: number;
}

export interface TlsJudgement {
  readonly verdict: TlsVerdict;
  readonly sentence: string;
}

/** By the alternative names alone, as browsers do. A common name counts for nothing. */
function coversName(name: string, served: ServedCertificate): boolean {
  const names = served.names.filter(isPlainName);
  if (names.length === 0) return false;
  const subjectaltname = names.map((covered) => `DNS:${covered}`).join(', ');
  // The type needs a whole PeerCertificate; checkServerIdentity reads these two fields.
  const certificate = { subject: { CN: '' }, subjectaltname } as Parameters<typeof checkServerIdentity>[1];
  return checkServerIdentity(name, certificate) === undefined;
}

const MAX_NAMES = 3;

/** Names of other customers are counted, not named. */
function describeWrongName(name: string, served: ServedCertificate): string {
  const own = served.names.filter((text) => isOwnName(text, name));
  const shown = own.slice(0, MAX_NAMES).map((text) => toShownText(text));
  return messages.wrongCertificate(name, shown, served.names.length - own.length);
}

/**
 * The name comes first: before coverage RunCloud sends another site's certificate, whose age and
 * issuer do not matter.
 */
export function judgeTls(
  name: string,
  served: ServedCertificate,
  { authorizationError, nowMs }: TlsCircumstances,
): TlsJudgement {
  if (!coversName(name, served)) return { verdict: 'wrong-name', sentence: describeWrongName(name, served) };
  if (nowMs > served.notAfter)
    return { verdict: 'expired', sentence: messages.expired(name, served.notAfter) };
  if (nowMs < served.notBefore)
    return { verdict: 'not-yet-valid', sentence: messages.notYetValid(name, served.notBefore) };
  if (authorizationError !== undefined) {
    const issuer = isExternalName(served.issuer, name) ? undefined : toShownText(served.issuer);
    return { verdict: 'untrusted', sentence: messages.untrusted(name, issuer, authorizationError) };
  }
  return { verdict: 'covers', sentence: messages.covers(name, served.notAfter) };
}
