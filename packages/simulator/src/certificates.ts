// What basic and advanced SSL share: the rules for a request, a new certificate, a redeploy, the SSL object of
// a reply. The routes are in basic-ssl.ts and advanced-ssl.ts; when names become covered is in issuance.ts.
import type { Context } from './context.ts';
import { isIssuing, isRefusedAloud, orderCertificate, removeCertificates } from './issuance.ts';
import { PLANTED_SECRETS, toPem } from './planted-secrets.ts';
import type { FieldErrors, Reply } from './replies.ts';
import { failure, toSqlDate, unprocessable } from './replies.ts';
import { toLifetimeMs } from './settings.ts';
import type { Rule } from './validation.ts';
import { booleanRule, choiceRule, findErrors, textRule, toBoolean } from './validation.ts';
import type { Certificate, CertificateProvider, Domain, Webapp } from './world.ts';
import { addCertificate, basicCertificateOf, domainsOf, namesOf } from './world.ts';

const CSR_KEY_TYPES = ['rsa-2048', 'rsa-4096', 'ecdsa-p256', 'ecdsa-p384'];

const PROTOCOL_RULES: readonly Rule[] = ['ssl_protocol_id', 'sslProtocolId'].map((field) =>
  choiceRule(field, [1, 2, 3, '1', '2', '3']),
);

const SETTING_RULES: readonly Rule[] = [
  booleanRule('enableHttp'),
  booleanRule('enableHsts'),
  choiceRule('authorizationMethod', ['http-01', 'dns-01']),
  ...PROTOCOL_RULES,
];

// `environment: production` is rejected (section 5 [F] PBAC); left out it is live [I].
const INSTALL_RULES: readonly Rule[] = [
  choiceRule('provider', ['letsencrypt', 'custom', 'csr'], true),
  booleanRule('enableHttp', true),
  booleanRule('enableHsts', true),
  choiceRule('environment', ['live', 'staging']),
  ...PROTOCOL_RULES,
  booleanRule('advancedSSL'),
  booleanRule('autoSSL'),
];

const PROVIDER_RULES: Record<string, readonly Rule[]> = {
  letsencrypt: [choiceRule('authorizationMethod', ['http-01', 'dns-01'], true)],
  custom: [textRule('privateKey', true), textRule('certificate', true)],
  csr: [choiceRule('csrKeyType', CSR_KEY_TYPES, true)],
};

export function findInstallErrors(body: Context['body']): FieldErrors | null {
  return findErrors(body, [
    ...INSTALL_RULES,
    ...(PROVIDER_RULES[String(body.provider)] ?? []),
    ...integrationRules(body),
  ]);
}

export const findUpdateErrors = (body: Context['body'], more: readonly Rule[] = []): FieldErrors | null =>
  findErrors(body, [...SETTING_RULES, ...more, ...integrationRules(body)]);

/** A DNS integration is needed for dns-01 (section 5, glama-useful and perch). */
const integrationRules = ({ authorizationMethod }: Context['body']): Rule[] =>
  authorizationMethod === 'dns-01'
    ? [{ field: 'externalApi', required: true, isValid: () => true, complaint: '' }]
    : [];

/** Refuses a second order while one is under way, where the switch says so (section 5, Concurrency). */
export function refuseWhileIssuing(
  { world, variants }: Context,
  existing: Certificate | undefined,
): Reply | null {
  const isFree = existing === undefined || !isIssuing(world, existing);
  if (variants.concurrentIssuance === 'accepted' || isFree) return null;
  return failure(Number(variants.concurrentIssuance), 'An SSL request is already in progress.', variants);
}

/** Refuses a second certificate, where the switch says so (not known; PBAC deletes first). */
export function refuseSecond({ variants }: Context, existing: Certificate | undefined): Reply | null {
  if (existing === undefined || variants.installOverExisting === 'replaces') return null;
  return unprocessable({ provider: ['SSL is already installed.'] });
}

/** The text is a client's, for a helper on RunCloud (section 10, rehmatworks #10): it names no name. */
export function refuseOrder({ variants }: Context): Reply {
  const message = "any of your domains aren't pointed to your server or SSL limit is reached";
  return failure(422, message, variants);
}

/** In the place of `existing`, if any; null where the order was refused, and then all is as it was. */
export function install(
  context: Context,
  webapp: Webapp,
  { domain = null, existing }: { domain?: Domain | null; existing?: Certificate | undefined } = {},
): Certificate | null {
  const { world, variants, now } = context;
  const certificate = addCertificate(world, toCertificate(context, webapp, domain));
  const names = namesOf(domain === null ? domainsOf(world, webapp.id) : [domain]);
  if (certificate.provider === 'letsencrypt') {
    const order = orderCertificate(context, certificate, names);
    if (isRefusedAloud(order, variants)) {
      removeCertificates(world, [certificate]);
      return null;
    }
  }
  // Only Let's Encrypt takes time; a CSR covers nothing until its certificate is brought.
  if (certificate.provider === 'custom') Object.assign(certificate, { names, issuedAt: now });
  if (existing !== undefined) removeCertificates(world, [existing]);
  return certificate;
}

export function toCertificate(
  { body, now, settings }: Context,
  webapp: Webapp,
  domain: Domain | null,
): Omit<Certificate, 'id'> {
  return {
    webappId: webapp.id,
    domainId: domain?.id ?? null,
    provider: (body.provider ?? 'letsencrypt') as CertificateProvider,
    names: [],
    issuedAt: null,
    lifetimeMs: toLifetimeMs(settings),
    createdAt: now,
    enableHttp: toBoolean(body.enableHttp),
    enableHsts: toBoolean(body.enableHsts),
    authorizationMethod: String(body.authorizationMethod ?? 'http-01'),
    staging: body.environment === 'staging',
    sslProtocolId: Number(body.sslProtocolId ?? body.ssl_protocol_id ?? 2),
    apiId: body.authorizationMethod === 'dns-01' ? Number(body.externalApi) : null,
  };
}

/** Orders again, for all names attached now. A switch says whether it takes up new names. Returns the refusal, if any. */
export function redeploy(
  context: Context,
  certificate: Certificate,
  domains: readonly Domain[],
): Reply | null {
  const { world, variants } = context;
  const isUnchanged = variants.redeployNames === 'unchanged' && certificate.issuedAt !== null;
  const names = isUnchanged ? certificate.names : namesOf(domains);
  if (isRefusedAloud(orderCertificate(context, certificate, names), variants)) return refuseOrder(context);
  if (variants.sslIdOnRedeploy === 'new') {
    certificate.id = world.nextCertificateId;
    world.nextCertificateId += 1;
  }
  return null;
}

export function updateSettings(certificate: Certificate, body: Context['body']): void {
  if (body.enableHttp !== undefined) certificate.enableHttp = toBoolean(body.enableHttp);
  if (body.enableHsts !== undefined) certificate.enableHsts = toBoolean(body.enableHsts);
  const protocol = body.sslProtocolId ?? body.ssl_protocol_id;
  if (protocol !== undefined) certificate.sslProtocolId = Number(protocol);
}

/** [L] persists for one domain's certificate (section 13); the integration stays beside it. */
export function updateMethod(
  certificate: Certificate,
  { authorizationMethod, externalApi }: Context['body'],
): void {
  if (authorizationMethod === undefined) return;
  certificate.authorizationMethod = String(authorizationMethod);
  if (authorizationMethod === 'dns-01') certificate.apiId = Number(externalApi);
}

/** AutoSSL is for domains added later too (section 6 [D]); when it acts, and what a refusal does, is not known. */
export function autoIssue(context: Context, webapp: Webapp, domain: Domain): void {
  if (!webapp.autoSsl || context.variants.autoSslOnAttach === 'never') return;
  const existing = basicCertificateOf(context.world, webapp.id);
  const request = { ...context, body: { provider: 'letsencrypt', enableHttp: true } };
  if (webapp.advancedSsl) install(request, webapp, { domain });
  else if (existing === undefined) install(request, webapp);
  else redeploy(context, existing, domainsOf(context.world, webapp.id));
}

/** How long a write keeps its answer back: a synchronous redeploy answers when it is done. */
export const issuanceMs = ({ variants, settings }: Context): number =>
  variants.redeploy === 'sync' ? settings.issuanceLagMs : 0;

/** Whether GET shows it: a first certificate under way may not be visible yet. */
export const isVisible = (certificate: Certificate, { variants }: Context): boolean =>
  certificate.issuedAt !== null || variants.firstIssuance === 'visible';

/** v2's flat object (section 5, v2 SDK): it carries the private key. */
export function toFlatSsl(certificate: Certificate, context: Context): object {
  return {
    ...toSharedFields(certificate, context),
    privateKey: toPem('PRIVATE KEY', PLANTED_SECRETS.privateKey),
    certificate: toPem('CERTIFICATE', 'SIMULATED0CERTIFICATE'),
    api_id: certificate.apiId,
    ssl_protocol_id: certificate.sslProtocolId,
  };
}

/** The `ssl` of a v3 row (section 5, TS client). */
export function toNestedSsl(certificate: Certificate, context: Context): object {
  return { ...toSharedFields(certificate, context), enableHstsPreload: false };
}

function toSharedFields(certificate: Certificate, context: Context): object {
  const { id, provider, createdAt, lifetimeMs, authorizationMethod, staging, enableHttp, enableHsts } =
    certificate;
  // A synchronous reply is sent when the certificate is there, so it may carry the dates already.
  const dueAt = context.variants.redeploy === 'sync' ? createdAt : null;
  const issuedAt = certificate.issuedAt ?? dueAt;
  return {
    id,
    method: provider,
    validUntil: issuedAt === null ? null : toSslDate(issuedAt + lifetimeMs, context),
    renewalDate: issuedAt === null ? null : toSslDate(issuedAt + Math.floor((lifetimeMs * 2) / 3), context),
    enableHttp,
    enableHsts,
    authorizationMethod,
    staging,
    created_at: toSqlDate(createdAt),
  };
}

function toSslDate(at: number, { variants }: Context): string | number {
  if (variants.sslDates === 'unix') return Math.floor(at / 1000);
  return variants.sslDates === 'iso' ? new Date(at).toISOString() : toSqlDate(at);
}
