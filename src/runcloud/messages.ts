// The sentences of failed RunCloud calls: what happened, during which call. Pure: facts in, text
// out. Texts from outside come here redacted and short (untrusted/redact.ts).
import type { RunCloud } from './runcloud.ts';

type Operation = keyof RunCloud;

const phrases: Record<Operation, string> = {
  ping: 'checking the credentials',
  getServer: 'fetching the server',
  getWebApplication: 'fetching the web application',
  listDomains: 'listing domains',
  attachDomain: 'attaching the domain',
  changeDomain: 'changing the domain',
  detachDomain: 'removing the domain',
  readLog: 'fetching the log',
  getSslMode: 'fetching the SSL mode',
  getCertificate: 'fetching the certificate',
  listCertificates: 'listing certificates',
  installCertificate: 'installing the certificate',
  redeployCertificate: 'redeploying the certificate',
  removeCertificate: 'removing the certificate',
  getDomainCertificate: "fetching the domain's certificate",
  installDomainCertificate: "installing the domain's certificate",
  redeployDomainCertificate: "redeploying the domain's certificate",
  removeDomainCertificate: "removing the domain's certificate",
  switchDomainToHttp01: "switching the domain's certificate to http-01",
};

/** What became of a call that RunCloud, or something in front of it, answered with an error. */
export type Refusal =
  | 'credentials'
  | 'payment'
  | 'account'
  | 'forbidden'
  | 'not-found'
  | 'throttled'
  | 'rejected'
  | 'unclear'
  | 'intercepted';

const refusals: Readonly<Record<Refusal, string>> = {
  credentials: 'RunCloud rejected the credentials',
  payment: 'RunCloud requires a payment first',
  account: 'RunCloud rejects every call of this account',
  forbidden: 'RunCloud denied access',
  'not-found': 'Not found in RunCloud',
  throttled: 'RunCloud rate limit reached',
  rejected: 'RunCloud rejected the request',
  unclear: 'RunCloud gave no usable answer',
  intercepted: 'Something in front of RunCloud answered',
};

/**
 * `RunCloud rejected the request while attaching the domain (HTTP 422): The name has already been
 * taken.`
 */
export function refused(
  refusal: Refusal,
  { operation, status }: { readonly operation: Operation; readonly status: number },
  text: string | undefined,
): string {
  const detail = text === undefined ? '' : `: ${text}`;
  return `${refusals[refusal]} while ${phrases[operation]} (HTTP ${status})${detail}`;
}

/** The detail of a 3xx. */
export const redirected = "RunCloud's API never redirects. Check RUNCLOUD_API_URL and the credentials.";

/** The detail of a 404 without a text: which ids to check. */
export const checkIds = 'check the ids of the server and the web application';

/** The fault of a 2xx reply. Completes "the reply …". */
export const faults = {
  noJson: 'is not JSON',
  noFields: 'lacks required fields',
  noList: 'has no list',
  namelessDomain: 'lists a domain without id or name',
  noCertificateId: 'has no certificate id',
  noSslMode: 'lacks advancedSSL',
  listOnOnePage: 'is a list on one page and none on the next',
  endless: (pages: number): string => `continues after ${pages} pages`,
  /** `rows` and `total`: of the last try, if RunCloud sent a total. */
  changing: (rows: number, total: number | undefined): string =>
    `lists different rows each time${total === undefined ? '' : ` (${rows} of ${total} came)`}`,
};

export const unusableReply = (operation: Operation, fault: string): string =>
  `RunCloud's answer while ${phrases[operation]} ${fault}`;

/** This program ended the call: `before` it left, or during it. */
export const stopped = (operation: Operation, when: 'before' | 'while'): string =>
  when === 'before'
    ? `Not sent: ${phrases[operation]}. Nothing has changed in RunCloud.`
    : `Stopped while ${phrases[operation]}. It may still take effect.`;

export const tooLong = (operation: Operation): string =>
  `RunCloud's answer while ${phrases[operation]} is too long`;

export const badCredentials = 'The credentials contain a character that no HTTP header may have';

/** `reason`: Node's, such as `socket hang up`. */
export const noAnswer = (operation: Operation, reason: string): string =>
  `RunCloud's answer while ${phrases[operation]} did not arrive: ${reason}`;

export const unreachable = (operation: Operation, reason: string): string =>
  `RunCloud could not be reached while ${phrases[operation]}: ${reason}`;

export const advancedMode = (appId: number): string =>
  `RunCloud lists different certificates for the domains of web application ${appId} (advanced SSL). Nothing was ordered.`;
