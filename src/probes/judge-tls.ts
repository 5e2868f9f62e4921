// What a server's certificate means for a name: one verdict, one sentence for a support agent.
// Pure: no handshake here. The texts in a certificate are the server's, so they are cut and cleaned before they are repeated.
import { checkServerIdentity } from 'node:tls';
import type { ServedCertificate, TlsVerdict } from './findings.ts';
import { isExternalName, isOwnName, isPlainName } from './own-name.ts';
import { toShownText } from './shown-text.ts';

export interface TlsCircumstances {
  /** OpenSSL's code for what is wrong with the chain; whether the name fits is judged here. */
  readonly authorizationError: string | undefined;
  readonly nowMs: number;
}

export interface TlsJudgement {
  readonly verdict: TlsVerdict;
  readonly sentence: string;
}

const toDay = (timeMs: number): string =>
  Number.isNaN(new Date(timeMs).getTime()) ? 'an unknown day' : new Date(timeMs).toISOString().slice(0, 10);

/** By the alternative names alone, as browsers do; a common name without them counts for nothing. */
function coversName(name: string, served: ServedCertificate): boolean {
  const names = served.names.filter(isPlainName);
  if (names.length === 0) return false;
  const subjectaltname = names.map((covered) => `DNS:${covered}`).join(', ');
  // The type asks for a whole PeerCertificate; checkServerIdentity reads these two fields.
  const certificate = { subject: { CN: '' }, subjectaltname } as Parameters<typeof checkServerIdentity>[1];
  return checkServerIdentity(name, certificate) === undefined;
}

/** Other customers' names are counted, not told. */
function describeNames(name: string, served: ServedCertificate): string {
  const texts = served.names.length > 0 ? served.names : [served.subject].filter((text) => text !== '');
  if (texts.length === 0) return 'no name at all';
  const own = texts.filter((text) => isOwnName(text, name));
  const others = texts.length - own.length;
  const rest = others === 1 ? 'another name' : `${others} other names`;
  const shown = own.slice(0, 3).map((text) => toShownText(text));
  return [...shown, ...(others > 0 ? [rest] : [])].join(' and ');
}

/** The name first: RunCloud shows another site's certificate before coverage, whose age and issuer are not the point. */
export function judgeTls(
  name: string,
  served: ServedCertificate,
  { authorizationError, nowMs }: TlsCircumstances,
): TlsJudgement {
  const certificate = `the certificate for ${name}`;
  if (!coversName(name, served)) {
    const sentence = `the server shows a certificate for ${describeNames(name, served)}, not for ${name}`;
    return { verdict: 'wrong-name', sentence };
  }
  if (nowMs > served.notAfter)
    return { verdict: 'expired', sentence: `${certificate} expired on ${toDay(served.notAfter)}` };
  if (nowMs < served.notBefore)
    return {
      verdict: 'not-yet-valid',
      sentence: `${certificate} is valid from ${toDay(served.notBefore)} on`,
    };
  if (authorizationError !== undefined) {
    const isNamed = served.issuer !== '' && !isExternalName(served.issuer, name);
    const issuer = (isNamed && toShownText(served.issuer)) || 'an unnamed issuer';
    const sentence = `${certificate} comes from ${issuer}, which browsers do not trust (${authorizationError})`;
    return { verdict: 'untrusted', sentence };
  }
  return { verdict: 'covers', sentence: `${certificate} is in place, valid until ${toDay(served.notAfter)}` };
}
