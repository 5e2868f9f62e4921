// The sentences of add-domain and remove-domain, all in one place: a change of words is a change of the snapshot.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/jobs/messages.ts';

const SHOP = 'shop.example.org';
const DNS = 'shop.example.org points to 198.51.100.1. Set an A record to 203.0.113.7';
const REFUSAL = 'RunCloud rejected the removal (HTTP 422).';

const texts: Record<keyof typeof messages, readonly string[]> = {
  domainAttached: [
    messages.domainAttached(SHOP, undefined),
    messages.domainAttached(SHOP, 'its DNS is wrong'),
  ],
  domainRemoved: [messages.domainRemoved(SHOP)],
  redeployFollows: [messages.redeployFollows(messages.domainRemoved(SHOP))],
  attachUnconfirmed: [messages.attachUnconfirmed(SHOP)],
  removalUnconfirmed: [messages.removalUnconfirmed(SHOP)],
  wwwSwitched: [messages.wwwSwitched(SHOP, true), messages.wwwSwitched(SHOP, false)],
  wwwNotSwitched: [messages.wwwNotSwitched(SHOP, true, messages.isOwnDomain(`www.${SHOP}`))],
  wwwUnconfirmed: [messages.wwwUnconfirmed(SHOP, false)],
  changedByOthers: [messages.changedByOthers],
  detachedForOthers: [messages.detachedForOthers(DNS)],
  detachUnconfirmed: [messages.detachUnconfirmed(DNS)],
  detachRefused: [messages.detachRefused(REFUSAL, DNS)],
  appGone: [messages.appGone(SHOP, 646, 1903)],
  checkingList: [messages.checkingList(REFUSAL, SHOP)],
  newerRequest: [messages.newerRequest(SHOP)],
  writeInProgress: [messages.writeInProgress(SHOP)],
  wwwNameStillOn: [messages.wwwNameStillOn(`www.${SHOP}`, SHOP)],
  ownDomainStillOn: [messages.ownDomainStillOn(`www.${SHOP}`)],
  nowWwwName: [messages.nowWwwName(`www.${SHOP}`, SHOP)],
  isOwnDomain: [messages.isOwnDomain(`www.${SHOP}`)],
};

test('the sentences', () => {
  expect(texts).toMatchSnapshot();
});
