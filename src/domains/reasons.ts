// Why a domain, or the redeploy of a certificate, is where it is: a code beside each sentence. Programs read the code, people the
// sentence. Where something went wrong the reason's code is the error's (errors.ts). Imports the table of errors only.
import type { Code } from '../errors.ts';

/** Reason codes are API: once published, a code keeps its meaning. docs/reference/reason-codes.md is generated from this table. */
export const reasons = {
  requested: { meaning: 'Somebody requested that the domain be attached.' },
  attaching: { meaning: 'The worker is attaching the domain in RunCloud.' },
  busy: { meaning: 'Another run, or a repeated request, concerns the same domain or certificate.' },
  'crashed-before': { meaning: 'The job crashed its worker before. It runs alone.' },
  paused: { meaning: 'A person paused all jobs, or those of the web application or site.' },
  'removal-requested': { meaning: 'Somebody requested that the domain be removed.' },
  'redeploy-delayed': { meaning: 'The redeploy waits for more domains (SSL_REDEPLOY_DELAY).' },
  'runcloud-outage': { meaning: 'RunCloud does not answer, or answers with errors only. All jobs wait.' },
  'receiver-error': { meaning: 'The receiver of a callback answered with an error status.' },
  'receiver-gone': { meaning: 'The receiver of a callback answered 410: the message is not sent again.' },
  'receiver-redirects': {
    meaning: 'The receiver of a callback answered with a redirect, which is never followed.',
  },
  'receiver-timeout': { meaning: 'The receiver of a callback did not answer in time.' },
  'receiver-unreachable': { meaning: 'There was no connection to the receiver of a callback.' },
  'receiver-circuit-open': { meaning: 'The receiver accepted no message for three days.' },
  'taken-over': { meaning: 'Another worker has taken the job over.' },
  'worker-stopping': { meaning: 'The worker stopped during the attempt. Another worker goes on.' },
  'callback-forged': { meaning: 'No worker wrote this delivery, or somebody changed it. It was not sent.' },
  'callback-unreadable': { meaning: 'The data of this delivery cannot be read. It was not sent.' },
  'callback-url-removed': { meaning: 'The URL was not in CALLBACK_URLS for three days.' },
  attached: { meaning: 'RunCloud has the domain. HTTPS is not checked, or is not known yet.' },
  'dns-wrong': {
    meaning: 'A DNS record of the domain is wrong. The evidence has the verdict for each name.',
  },
  'dns-unknown': { meaning: 'DNS could not be checked, so nobody knows whether it is right.' },
  'redeploy-requested': {
    meaning: 'The domain is attached, and a redeploy of its certificate was requested.',
  },
  'redeploy-pending': { meaning: 'A redeploy of the certificate is pending or runs.' },
  'redeploy-failed': { meaning: 'The last redeploy of the certificate failed.' },
  'certificate-ordered': {
    meaning: 'The certificate was ordered. It has until CERTIFICATE_DEADLINE to be issued.',
  },
  'certificate-failed': {
    meaning: 'The ordered certificate was not issued, or does not include the domain.',
  },
  'certificate-incomplete': {
    meaning: "The last order did not include the domain. RunCloud's list is read again.",
  },
  'certificate-wrong': {
    meaning: 'The server sends a certificate that does not cover the domain. The evidence has the verdict.',
  },
  'certificate-expiring': { meaning: 'The certificate expires soon, and RunCloud has not renewed it.' },
  'certificate-full': { meaning: "The shared certificate would have more names than Let's Encrypt allows." },
  'certificate-shown': {
    meaning: 'The server already sends a certificate that covers the names. Nothing was ordered.',
  },
  'renewal-blocked': {
    meaning: 'RunCloud cannot renew the certificate: it is validated by dns-01, and the DNS has moved.',
  },
  'tls-unknown': { meaning: 'The TLS check got no answer, so nobody knows what the server sends.' },
  'https-works': { meaning: 'The server sends a certificate that covers the domain.' },
  'removed-in-runcloud': { meaning: 'Somebody removed the domain in RunCloud.' },
  sidelined: {
    meaning:
      'The certificate failed repeatedly with this domain as its newest name. It is detached for a while.',
  },
  'newest-sidelined': {
    meaning:
      'The certificate failed repeatedly. Its newest domain is detached so that the others get theirs.',
  },
  'shared-certificate-blocked': {
    meaning: 'A name with wrong DNS on the shared certificate would fail the order for all.',
  },
  'letsencrypt-limit': {
    meaning: "A limit of Let's Encrypt, or a lower one of the configuration, is reached.",
  },
  'last-order-failed': { meaning: 'The last order with these names failed. The next one waits.' },
  'last-order-open': { meaning: 'Nobody knows yet whether the last order succeeded. The next one waits.' },
  'order-answer-lost': {
    meaning: "RunCloud's answer to the order was lost. It is sent again after SSL_COOLDOWN.",
  },
  'order-not-shown': { meaning: 'The certificate was ordered, and RunCloud does not list it yet.' },
  'already-ordered': {
    meaning: 'The same names were ordered a short while ago (SSL_COOLDOWN). Nothing was ordered.',
  },
  'nothing-to-order': { meaning: 'No domain of the request needed an order.' },
  removed: { meaning: 'The domain was removed from the web application.' },
  'app-gone': { meaning: 'RunCloud does not have the web application any more.' },
  'write-unanswered': {
    meaning: 'RunCloud did not answer the last write of the domain, and may still carry it out.',
  },
  'list-lags': { meaning: "RunCloud's list does not show the last write of the domain yet." },
  'list-contradicts': { meaning: 'RunCloud rejects the domain, but its list does not show it.' },
  'attach-unconfirmed': {
    meaning: 'RunCloud accepted the domain without returning it. Its list is read again.',
  },
  'change-unconfirmed': {
    meaning: 'RunCloud accepted a change of the www name without returning it. Its list is read again.',
  },
  'removal-unconfirmed': {
    meaning: 'RunCloud accepted the removal without confirming it. Its list is read again.',
  },
  'detach-refused': {
    meaning: 'The DNS of the domain blocks the shared certificate, and RunCloud rejected its removal.',
  },
  'detached-for-others': {
    meaning: 'The domain was detached, because its DNS blocks the shared certificate.',
  },
  'removal-pending': { meaning: 'Another domain still has the name. Its removal is pending.' },
  'removal-failed': { meaning: 'Another domain still has the name, and its removal failed.' },
  'www-change-pending': {
    meaning: 'The name is still the www name of another domain. That change is pending.',
  },
  'is-www-name': { meaning: 'The name is the www name of another domain now.' },
  'requested-elsewhere': { meaning: 'The domain is requested on another web application, too.' },
  'not-attached': { meaning: 'The domain is not on the web application.' },
  'write-in-progress': { meaning: 'Another run may still be writing. This one waits for it.' },
} as const satisfies Record<string, { readonly meaning: string }>;

/** A reason of ours, or the code of the error that is the reason. */
export type ReasonCode = keyof typeof reasons | Code;
