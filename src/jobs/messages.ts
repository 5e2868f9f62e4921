// The sentences of add-domain and remove-domain: what a run did, and what happens next. Pure.

import { inSentences } from '../domains/sentences.ts';

/** `withoutWww`: why its www name was left out. */
export const domainAttached = (domain: string, withoutWww: string | undefined): string =>
  withoutWww ? `${domain} attached without www (${withoutWww})` : `${domain} attached`;

export const domainRemoved = (domain: string): string => `${domain} removed`;

export const redeployFollows = (what: string): string =>
  inSentences(what, 'A certificate redeploy follows (SSL_REDEPLOY_DELAY)');

export const attachUnconfirmed = (domain: string): string =>
  `RunCloud accepted ${domain} but did not return it. Checking the domain list.`;

export const removalUnconfirmed = (domain: string): string =>
  `RunCloud accepted the removal of ${domain}. Checking that it happened.`;

export const wwwSwitched = (domain: string, www: boolean): string =>
  `www.${domain} is switched ${www ? 'on' : 'off'}`;

export const wwwNotSwitched = (domain: string, www: boolean, why: string): string =>
  `www.${domain} is not switched ${www ? 'on' : 'off'}: ${why}`;

export const wwwUnconfirmed = (domain: string, www: boolean): string =>
  `RunCloud accepted a request to switch www.${domain} ${www ? 'on' : 'off'}, but did not return it. Checking the domain list.`;

export const changedByOthers = 'somebody changed the domain in RunCloud meanwhile';

/** The domain blocks the certificate that others share. `dns`: why. */
export const detachedForOthers = (dns: string): string =>
  inSentences('Detached so that the other domains get their certificate', dns);

export const detachUnconfirmed = (dns: string): string =>
  inSentences(
    'RunCloud accepted the removal of this domain, which blocks the shared certificate. Checking that it happened',
    dns,
  );

export const detachRefused = (refusal: string, dns: string): string =>
  inSentences(refusal, 'The domain must be detached so that the other domains get their certificate', dns);

export const appGone = (domain: string, appId: number, serverId: number): string =>
  `Server ${serverId} no longer has web application ${appId}, so ${domain} is not attached`;

export const checkingList = (failure: string, domain: string): string =>
  inSentences(failure, `Checking whether the list shows ${domain}`);

export const newerRequest = (domain: string): string =>
  `A newer request for ${domain} has taken over. Nothing was written.`;

export const writeInProgress = (domain: string): string =>
  `Another run may still be writing for ${domain}. This one waits for it.`;

export const wwwNameStillOn = (domain: string, bare: string): string =>
  `${domain} is still the www name of ${bare} in RunCloud. The change is pending.`;

export const ownDomainStillOn = (domain: string): string =>
  `${domain} is still a domain of its own in RunCloud. Its removal is pending.`;

export const nowWwwName = (domain: string, bare: string): string =>
  `${domain} is no longer a domain of its own. It is the www name of ${bare}.`;

export const isOwnDomain = (domain: string): string =>
  `${domain} is a domain of its own on the web application`;
