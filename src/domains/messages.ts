// The sentences about records and names: what is planned, who has a name, what RunCloud rejected. Pure.

import type { Desired } from './domain.ts';
import { asClause } from './sentences.ts';

const onOff = (www: boolean): string => (www ? 'on' : 'off');

/** `differs`: what RunCloud has otherwise than requested. */
export const isAttached = (domain: string, differs: readonly string[]): string =>
  differs.length > 0
    ? `${domain} is attached (RunCloud has ${differs.join(', ')}; unchanged)`
    : `${domain} is attached`;

export const wwwIs = (www: boolean): string => `www ${onOff(www)}`;

export const redirectionIs = (redirection: string): string => `redirection ${redirection}`;

export const notAttached = (domain: string): string => `${domain} is not attached; nothing to remove`;

export const isRemoved = (domain: string): string => `${domain} is removed`;

export const attachUnanswered = (domain: string): string =>
  `${domain} is not attached yet. RunCloud did not answer the last request to attach it and may still carry it out.`;

export const removalUnanswered = (domain: string): string =>
  `${domain} is still attached. RunCloud did not answer the last request to remove it and may still carry it out.`;

export const changeUnanswered = (domain: string, www: boolean): string =>
  `The www name of ${domain} is not switched ${onOff(www)} yet. RunCloud did not answer the last request and may still carry it out.`;

export const attachNotListed = (domain: string): string =>
  `RunCloud accepted ${domain} a moment ago, and its list does not show it yet`;

export const removalNotListed = (domain: string): string =>
  `RunCloud removed ${domain} a moment ago, and its list still shows it`;

export const changeNotListed = (domain: string, www: boolean): string =>
  `RunCloud switched the www name of ${domain} ${onOff(www)} a moment ago, and its list does not show it yet`;

export const isPrimary = (domain: string, appId: number): string =>
  `${domain} is the primary domain of web application ${appId}. It is never removed.`;

export const mayBePrimary = (domain: string, appId: number): string =>
  `${domain} is the oldest domain of web application ${appId}. It is not removed, because RunCloud does not say which domain is primary.`;

/** `where`: `web application 647`. */
export const removalPendingElsewhere = (owner: string, where: string, domain: string): string =>
  `${owner} is still on ${where}. Its removal there is pending. ${domain} is attached after it.`;

export const ownerHasNameAsWww = (owner: string): string =>
  `${owner} already has this name as its www name. Change ${owner}, or remove it.`;

export const requestedElsewhere = (owner: string, where: string, appId: number): string =>
  `${owner} was requested on ${where}. To move it, first run \`remove ${owner} --app ${appId}\`.`;

export const removalFailedElsewhere = (owner: string, where: string): string =>
  `${owner} is still on ${where}, and its removal there failed. Run \`status ${owner}\` to see why.`;

/** RunCloud rejects a request to attach a domain that its list does not show. `isLong`: for longer than ten minutes. */
export const listContradicts = (refusal: string, domain: string, isLong: boolean): string =>
  `${asClause(refusal)}. RunCloud's list does not show ${domain}. It may lag behind. ${
    isLong
      ? `Find ${domain} in RunCloud's panel, on this web application and on others. The worker checks again automatically.`
      : 'Checking again.'
  }`;

/** RunCloud's last word about a domain that is not on its list. */
export const refusedForGood = (refusal: string, domain: string, isTaken: boolean): string =>
  isTaken
    ? `${asClause(refusal)}. ${domain} is not on this web application. It may be on another one.`
    : refusal;

/** A request for the www name of `bare`, which was requested with it. */
export function isWwwNameOf(bare: string, domain: string, { presence }: Desired): string {
  const has = `${domain} is the www name of ${bare}, which was requested with it on this web application`;
  const only = `\`add ${bare} --www=false\` (www: false)`;
  const both = `\`remove ${bare}\``;
  return presence === 'absent'
    ? `${has}. It cannot be removed on its own. To remove only the www name, run ${only}. To remove both, run ${both}.`
    : `${has}. To have it as a domain of its own, first run ${only}, or ${both}.`;
}

/** The www name was requested as a domain of its own. */
export const wwwWasRequested = (domain: string): string =>
  `www.${domain} was requested as a domain of its own on this web application, so ${domain} cannot have it as its www name. Run \`add ${domain} --www=false\` (www: false), or first \`remove www.${domain}\`.`;

/** The same, if www came with the domain by our own rule. */
export const withoutWwwName = (domain: string): string =>
  `without www: www.${domain} was requested as a domain of its own`;

/** RunCloud itself has a name as the www name of another domain. `isKnown`: that one has a record here. */
export function isServedBy(
  bare: string,
  { domain, desired }: { readonly domain: string; readonly desired: Desired },
  isKnown: boolean,
): string {
  const has = `${domain} is not a domain of its own: RunCloud has it as the www name of ${bare} on this web application`;
  const off = `switch www off for ${bare} in RunCloud`;
  const way = isKnown ? `run \`add ${bare} --www=false\` (www: false), or ${off}` : off;
  return desired.presence === 'absent'
    ? `${has}. It cannot be removed on its own. To remove it, ${way}.`
    : `${has}. To have it as a domain of its own, ${way}.`;
}

/** RunCloud itself has the www name of a domain as a domain of its own. */
export const wwwIsOwnDomain = (domain: string): string =>
  `www.${domain} is a domain of its own on this web application, so ${domain} cannot have it as its www name. Run \`add ${domain} --www=false\` (www: false), or first \`remove www.${domain}\`.`;
