// The sentences about redeploys: what was ordered, what was not, and what the next order waits for. Pure.

import { counted, inSentences, listed } from '../../domains/sentences.ts';
import { toMinute, toNextMinute } from '../../domains/times.ts';

/** For the domains: it names none. */
interface Both {
  readonly sentence: string;
  readonly forDomains: string;
}

export const covered = (names: readonly string[]): Both => ({
  sentence: `The server already sends a certificate that covers ${listed(names)}. Nothing was ordered.`,
  forDomains: 'The server already sends a certificate that covers it. Nothing was ordered.',
});

export interface OrderedFacts {
  readonly appId: number;
  readonly at: number;
  /** How many domains changed; undefined: the redeploy is for all. */
  readonly changed: number | undefined;
  /** How many names the certificate has, if that is close to the limit. */
  readonly names: number | undefined;
  readonly maxNames: number;
}

export const sharedOrdered = ({ appId, at, changed, names, maxNames }: OrderedFacts): string =>
  inSentences(
    `The certificate of web application ${appId} was ordered at ${toMinute(at)}${changed === undefined ? '' : `, after changes to ${counted(changed)}`}`,
    names === undefined ? undefined : `It has ${names} of at most ${maxNames} names. ${wayOut}`,
  );

export const sharedFull = (appId: number, names: number, maxNames: number): string =>
  `The shared certificate of web application ${appId} would have ${names} names. Let's Encrypt allows ${maxNames}. ${wayOut}.`;

const wayOut = 'Switch to advanced SSL, or put further domains on a second web application';

export const alreadyOrdered = (names: number, at: number): string =>
  `A certificate with the same ${counted(names, 'name')} was ordered at ${toMinute(at)}. It was not ordered again (SSL_COOLDOWN).`;

export const noCertificate = (appId: number): string =>
  `Web application ${appId} has no certificate to redeploy. Install one in RunCloud first, or set SSL_INSTALL=letsencrypt.`;

export const noDomains = (appId: number): string =>
  `RunCloud lists no domain of web application ${appId}, but each has at least one. Nothing was ordered. Checking the list again.`;

export const domainOrdered = (at: number): string => `Its certificate was ordered at ${toMinute(at)}`;

export const domainAlreadyOrdered = (at: number): string =>
  `Its certificate was already ordered at ${toMinute(at)} (SSL_COOLDOWN)`;

export const domainsOrdered = (count: number, at: number): string =>
  `The certificates of ${counted(count)} were ordered at ${toMinute(at)}`;

export const nothingToOrder = 'No domain needed an order';

export const about = (domain: string, sentence: string): string => `${domain}: ${sentence}`;

export const domainCovered = (domain: string): string =>
  `The server already sends a certificate that covers ${domain}`;

export const notAttached = 'The domain is not on the web application';

export const othersWait = 'The certificates of other domains wait';

/** RunCloud did not answer the order. It may have taken it. */
export const answerLost = (orderedAt: number, againAt: number, setting?: string): string =>
  `RunCloud's answer to the order of ${toMinute(orderedAt)} was lost. Checking whether the certificate is issued. If not, it is ordered again at ${toNextMinute(againAt)}${setting === undefined ? '' : ` (${setting})`}.`;

export const notShown = (orderedAt: number, againAt: number): string =>
  `A certificate was ordered at ${toMinute(orderedAt)}. RunCloud does not list it yet. If it does not appear, it is ordered again at ${toNextMinute(againAt)}.`;

export const rejected = (message: string, causes: string | undefined, nextAt: number): string =>
  inSentences(message, causes, `Next attempt with these names at ${toNextMinute(nextAt)}`);

export const superseded = 'Another redeploy of this web application has taken over';

export const busy = 'Another run may still be redeploying this certificate';

export const stillByDns = (name: string): string =>
  `RunCloud accepted the switch of the certificate of ${name} to http-01, but still validates it by dns-01. Switch it in RunCloud.`;

export interface BlockedFacts {
  /** How many domains share the certificate. */
  readonly domains: number;
  /** One for each name that is not right. */
  readonly found: readonly { readonly name: string; readonly sentence: string }[];
  /** So many domains fail at once that the resolver itself may be the cause; undefined: no doubt. */
  readonly doubtful: number | undefined;
}

/** So many names are described in full. A hundred may be wrong. */
const DESCRIBED = 3;

export function sharedBlocked({ domains, found, doubtful }: BlockedFacts): Both {
  const more = found.slice(DESCRIBED).map(({ name }) => name);
  const what = `The shared certificate for ${domains} domains is not ordered, because Let's Encrypt would reject it for all (SSL_INVALID_NAMES)`;
  const doubt =
    doubtful === undefined
      ? undefined
      : `${doubtful} domains fail the DNS check at once. The resolver may be the cause (DNS_SERVERS), so none is detached`;
  return {
    sentence: inSentences(
      what,
      doubt,
      ...found.slice(0, DESCRIBED).map(({ sentence }) => sentence),
      more.length > 0 ? `The DNS of ${more.join(', ')} is wrong, too` : undefined,
    ),
    forDomains: inSentences(
      what,
      `The DNS of ${counted(found.length, 'name')} on it is wrong. Run \`runcloud-domains status\` to list ${found.length === 1 ? 'it' : 'them'}`,
      doubt,
    ),
  };
}
