// The sentences about records and names, all in one place: a change of words is a change of the snapshot.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/domains/messages.ts';

const SHOP = 'shop.example.org';
const WWW = 'www.shop.example.org';
const WHERE = 'web application 647';
const REFUSAL = 'RunCloud rejected the domain (HTTP 422): Domain already exists.';
const present = { presence: 'present', www: true, redirection: 'none' } as const;
const absent = { presence: 'absent' } as const;

const texts: Record<keyof typeof messages, readonly string[]> = {
  isAttached: [
    messages.isAttached(SHOP, []),
    messages.isAttached(SHOP, [messages.wwwIs(true), messages.redirectionIs('www')]),
  ],
  wwwIs: [messages.wwwIs(true), messages.wwwIs(false)],
  redirectionIs: [messages.redirectionIs('non-www')],
  notAttached: [messages.notAttached(SHOP)],
  isRemoved: [messages.isRemoved(SHOP)],
  attachUnanswered: [messages.attachUnanswered(SHOP)],
  removalUnanswered: [messages.removalUnanswered(SHOP)],
  changeUnanswered: [messages.changeUnanswered(SHOP, true)],
  attachNotListed: [messages.attachNotListed(SHOP)],
  removalNotListed: [messages.removalNotListed(SHOP)],
  changeNotListed: [messages.changeNotListed(SHOP, false)],
  isPrimary: [messages.isPrimary(SHOP, 646)],
  mayBePrimary: [messages.mayBePrimary(SHOP, 646)],
  removalPendingElsewhere: [messages.removalPendingElsewhere(WWW, WHERE, SHOP)],
  ownerHasNameAsWww: [messages.ownerHasNameAsWww(SHOP)],
  requestedElsewhere: [messages.requestedElsewhere(SHOP, WHERE, 647)],
  removalFailedElsewhere: [messages.removalFailedElsewhere(SHOP, WHERE)],
  listContradicts: [
    messages.listContradicts(REFUSAL, SHOP, false),
    messages.listContradicts(REFUSAL, SHOP, true),
  ],
  refusedForGood: [
    messages.refusedForGood(REFUSAL, SHOP, true),
    messages.refusedForGood('RunCloud rejected it (HTTP 422).', SHOP, false),
  ],
  isWwwNameOf: [messages.isWwwNameOf(SHOP, WWW, present), messages.isWwwNameOf(SHOP, WWW, absent)],
  wwwWasRequested: [messages.wwwWasRequested(SHOP)],
  withoutWwwName: [messages.withoutWwwName(SHOP)],
  isServedBy: [
    messages.isServedBy(SHOP, { domain: WWW, desired: present }, true),
    messages.isServedBy(SHOP, { domain: WWW, desired: absent }, false),
  ],
  wwwIsOwnDomain: [messages.wwwIsOwnDomain(SHOP)],
};

test('the sentences', () => {
  expect(texts).toMatchSnapshot();
});
