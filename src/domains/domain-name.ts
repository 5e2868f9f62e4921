// What counts as a domain name here, in its one canonical form: A-labels, lower case, no trailing dot.
// Pure. The only place where a name from outside becomes a DomainName.
import { isIP } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { getDomain } from 'tldts';
import { PermanentError } from '../errors.ts';

declare const canonical: unique symbol;

/** A domain name in canonical form; made by `parseDomainName` only. */
export type DomainName = string & { readonly [canonical]: true };

/** Control, formatting and unassigned characters, except the joiners that some scripts need (RFC 5892, appendix A). */
const invisible = /(?!\u{200c}|\u{200d})\p{C}/gu;

/** RFC 1035, 2.3.4, without the length bytes and the root. */
export const MAX_LENGTH = 253;
const maxLabelLength = 63;

/** `NAME=value`, `name: value`: a line of some program's settings, whose value may be a secret. */
const setting = /^([^/?#@:=]*(?:=|:\s)).+$/s;

/** A pasted web address may contain a password or a token, which must not get into a message. */
const withoutSecrets = (text: string): string =>
  text
    .replace(setting, '$1***')
    .replace(/\/\/[^/?#]*@|^[^/?#]*@/g, (found) => {
      if (found.startsWith('//')) return '//***@';
      return found.includes(':') ? '***@' : found;
    })
    .replace(/([?#]).+$/s, '$1***')
    .replace(/=.+$/s, '=***');

/** What was given as a name, as it may be shown: bounded, without what may be a secret, with invisible characters made visible. */
export function toShownInput(text: string): string {
  const safe = withoutSecrets(text);
  const short = safe.length > 80 ? `${safe.slice(0, 77)}...` : safe;
  return short.replace(/\p{C}/gu, toCodePoint);
}

const quote = (text: string): string => `"${toShownInput(text)}"`;

const toCodePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** The host of a pasted web address or e-mail address, if that alone would be a domain name. */
function extractName(text: string): DomainName | undefined {
  const host = text
    .trim()
    .replace(/^(?:[a-z][a-z\d+.-]*:)?\/\//i, '')
    .replace(/[/?#\\].*$/s, '')
    .replace(/^.*@/s, '')
    .replace(/:\d*$/, '');
  if (host === text) return undefined;
  const name = toAscii(host);
  return reasonAgainst(host, name) === undefined ? (name as DomainName) : undefined;
}

const hint = (text: string): string => {
  // A host name there may be the end of a password.
  const name = setting.test(text) ? undefined : extractName(text);
  return name === undefined ? '' : `; use ${quote(name)}`;
};

/** Characters that end or hide a host in a URL. domainToASCII would drop, decode or accept them. */
const external: readonly (readonly [RegExp, string])[] = [
  [/^[a-z][a-z\d+.-]*:\/\//i, 'is a web address, not a domain name'],
  [/\p{Z}|[\t\n\r\v\f]/u, 'contains a space or line break'],
  [new RegExp(invisible, 'u'), 'contains an invisible or control character'],
  [/@/, 'contains an "@": an e-mail address is not a domain name'],
  [/^[^/:?#]+:\d*$/, 'contains a port'],
  [/[/\\?#]/, 'contains a path'],
  [/[!-,/:-@[-^`{-~]/, 'contains a character that no domain name has'],
];

function externalReason(text: string): string | undefined {
  const [pattern, reason] = external.find(([candidate]) => candidate.test(text)) ?? [];
  const found = pattern?.exec(text)?.[0] ?? '';
  if (reason === undefined) return undefined;
  return reason.endsWith('no domain name has') ? `${reason}: ${quote(found)}` : `${reason}${hint(text)}`;
}

/** Canonical form, if `text` has one: IDNA (UTS #46), lower case, without the dot that marks the root. */
const toAscii = (text: string): string => domainToASCII(text).toLowerCase().replace(/\.$/, '');

function isFakePunycode(label: string): boolean {
  if (!label.startsWith('xn--')) return false;
  const unicode = domainToUnicode(label);
  // Labels that do not decode come back unchanged, and only canonical ones survive the way there and back.
  return unicode.startsWith('xn--') || domainToASCII(unicode) !== label;
}

function labelReason(label: string): string | undefined {
  if (label === '') return 'has an empty part: two dots in a row, or one in front';
  const part = `the part ${quote(label)}`;
  if (label.length > maxLabelLength)
    return `${part} has ${label.length} characters; at most ${maxLabelLength} are possible`;
  if (label.includes('_')) return `${part} contains an underscore, which the name of a website cannot have`;
  if (/[^a-z\d-]/.test(label)) return `${part} contains a character that no domain name has`;
  if (/^-|-$/.test(label)) return `${part} begins or ends with a hyphen`;
  return isFakePunycode(label) ? `${part} is not valid Punycode` : undefined;
}

function shapeReason(name: string): string | undefined {
  const labels = name.split('.');
  const reason = labels.map(labelReason).find((found) => found !== undefined);
  if (reason !== undefined) return reason;
  if (labels.length < 2) return 'has no dot: a domain name has at least two parts, as in "example.org"';
  return name.length > MAX_LENGTH
    ? `has ${name.length} characters; at most ${MAX_LENGTH} are possible`
    : undefined;
}

const numericEnd = /(?:^|[.。．｡])(?:\p{Nd}+|0x[\da-f]*)[.。．｡]?$/iu;

/** Why `text` is no domain name, as the end of a sentence that begins with the text; undefined where it is one. */
function reasonAgainst(text: string, name: string): string | undefined {
  if (/^[.。．｡]*$/.test(text)) return 'is empty';
  if (isIP(text.replace(/^\[|\]$/g, '')) !== 0 || isIP(name) !== 0)
    return 'is an IP address; a certificate needs a domain name';
  if (text.startsWith('*.')) return 'is a wildcard; add each name on its own';
  const externalToNames = externalReason(text);
  if (externalToNames !== undefined) return externalToNames;
  if (numericEnd.test(text)) return 'ends in a number: no top-level domain is one';
  if (name === '') return 'cannot be written as an internationalised domain name';
  return shapeReason(name);
}

/** No name is longer, and a much longer text is not read. */
const maxInputLength = 1000;

/**
 * The canonical form of a domain name: `Bücher.Example.` -> `xn--bcher-kva.example`. Parsing twice changes nothing.
 * Throws PermanentError('invalid-domain') whose message names the part that is wrong. Why `domainToASCII` alone is not
 * enough: it decodes `%61`, drops line breaks, reads `2130706433` as an address, and checks no length.
 */
export function parseDomainName(input: unknown): DomainName {
  if (typeof input !== 'string')
    throw new PermanentError('invalid-domain', `A domain name must be a text, got ${toKind(input)}.`);
  const name = input.length > maxInputLength ? '' : toAscii(input);
  const reason =
    input.length > maxInputLength
      ? `has ${input.length} characters; at most ${MAX_LENGTH} are possible`
      : reasonAgainst(input, name);
  if (reason !== undefined)
    throw new PermanentError('invalid-domain', `${quote(input)} ${punctuate(reason)}`);
  return name as DomainName;
}

const punctuate = (reason: string): string =>
  `${reason.startsWith('the part') ? `cannot be a domain name: ${reason}` : reason}.`;

function toKind(input: unknown): string {
  if (input === null || input === undefined) return 'nothing';
  return Array.isArray(input) ? 'a list' : `a value of type ${typeof input}`;
}

/**
 * True for a name that its owner registered (`example.co.uk`), false for a name below one (`shop.example.co.uk`).
 * By the ICANN part of the Public Suffix List only (publicsuffix.org/list): `shop.github.io` counts as a name below
 * `github.io`. Its private part mixes registries (`uk.com`) with hosts of sites (`github.io`, `pages.dev`), below which
 * nobody can have a www; and a www without DNS spoils the certificate for all names on it, while a missing www only
 * needs `www: true`.
 */
export function isRegistrable(name: DomainName): boolean {
  return getDomain(name, { allowPrivateDomains: false, validateHostname: false }) === name;
}

/** Whether `www.` is to be attached too. `auto` stays for a registrable name, and is a no for any other; what was said wins. */
export const resolveWww = (name: DomainName, www: 'auto' | boolean): 'auto' | boolean =>
  www === 'auto' && !isRegistrable(name) ? false : www;
