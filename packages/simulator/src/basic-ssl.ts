// The routes of basic SSL, .../ssl (reference section 5): one certificate for the web application, renewed only
// on request. GET answers in one of the shapes that clients have observed; per-domain routes are in advanced-ssl.ts.
import {
  findInstallErrors,
  findUpdateErrors,
  install,
  issuanceMs,
  isVisible,
  redeploy,
  refuseOrder,
  refuseSecond,
  refuseWhileIssuing,
  toCertificate,
  toFlatSsl,
  toNestedSsl,
  updateMethod,
  updateSettings,
} from './certificates.ts';
import type { Context, Handler } from './context.ts';
import { notFound, withWebapp } from './context.ts';
import { removeCertificates } from './issuance.ts';
import { paginate } from './pagination.ts';
import type { Reply } from './replies.ts';
import { createdStatus, failure, ok, single, unprocessable, writeReply } from './replies.ts';
import type { Certificate, Domain, Webapp } from './world.ts';
import { basicCertificateOf, domainCertificateOf, domainsOf, namesOf } from './world.ts';

export const getSsl: Handler = withWebapp((context, webapp) => {
  const certificate = basicCertificateOf(context.world, webapp.id);
  const isShown = certificate !== undefined && !webapp.advancedSsl && isVisible(certificate, context);
  const { sslShape } = context.variants;
  const isNested = sslShape === 'nested' || (sslShape === 'as-documented' && context.version === 'v3');
  if (!isShown) return isNested && webapp.advancedSsl ? toRows(context, webapp) : withoutSsl(context, webapp);
  if (isNested) return toRows(context, webapp);
  const object = toFlatSsl(certificate, context);
  return ok(sslShape === 'wrapped' ? { data: object } : single(object, context.variants));
});

/** What the two versions say when there is none (section 5, table of shapes). */
function withoutSsl(context: Context, webapp: Webapp): Reply {
  const { noSsl } = context.variants;
  const documented = context.version === 'v2' ? 'message-200' : 'rows-null';
  const message = 'SSL not installed!';
  switch (noSsl === 'as-documented' ? documented : noSsl) {
    case 'message-200':
      return ok({ message });
    case 'message-404':
      return { status: 404, body: { message } };
    case 'rows-null':
      return toRows(context, webapp);
    case 'empty-404':
      return { status: 404 };
    case '422':
      return failure(422, message, context.variants);
  }
}

/** One row per domain, ssl nested (section 5 [F] TS client); whether it is paginated is not known. */
function toRows(context: Context, webapp: Webapp): Reply {
  const toRow = (domain: Domain): object => ({
    id: domain.id,
    name: domain.name,
    ssl: toRowSsl(context, webapp, domain),
  });
  const domains = domainsOf(context.world, webapp.id);
  if (context.variants.sslRowsPaged === 'paged') return paginate(context, domains, toRow);
  return ok({ data: domains.map(toRow) });
}

function toRowSsl(context: Context, webapp: Webapp, domain: Domain): object | null {
  const { world, variants } = context;
  const certificate = webapp.advancedSsl
    ? domainCertificateOf(world, domain.id)
    : basicCertificateOf(world, webapp.id);
  if (certificate === undefined || !isVisible(certificate, context)) return null;
  const isShared = webapp.advancedSsl || variants.nestedUncovered === 'shared';
  const isCovered = namesOf([domain]).some((name) => certificate.names.includes(name));
  return isShared || isCovered || certificate.issuedAt === null ? toNestedSsl(certificate, context) : null;
}

/** Basic writes in advanced mode: refused, or accepted without any effect on what is served (Unknown, line 9; section 13). */
const withBasicMode = (handle: (context: Context, webapp: Webapp) => Reply): Handler =>
  withWebapp((context, webapp) => {
    const { basicSslInAdvancedMode: answer } = context.variants;
    if (!webapp.advancedSsl) return handle(context, webapp);
    if (answer === '200-transient') return acceptInVain(context, webapp);
    return failure(Number(answer), 'Advanced SSL is enabled.', context.variants);
  });

/** An SSL object that nobody requests again: the domains keep their certificates. */
function acceptInVain(context: Context, webapp: Webapp): Reply {
  const certificate = { id: context.world.nextCertificateId, ...toCertificate(context, webapp, null) };
  context.world.nextCertificateId += 1;
  return sslReply(context, certificate, 'SSL deployed.');
}

const withCertificate = (
  handle: (context: Context, certificate: Certificate, webapp: Webapp) => Reply,
): Handler =>
  withBasicMode((context, webapp) => {
    const certificate = basicCertificateOf(context.world, webapp.id);
    const isMatch = certificate !== undefined && certificate.id === context.parameters.ssl;
    return isMatch ? handle(context, certificate, webapp) : notFound(context, 'SSL');
  });

export const installSsl: Handler = withBasicMode((context, webapp) => {
  const errors = findInstallErrors(context.body);
  if (errors !== null) return unprocessable(errors);
  const existing = basicCertificateOf(context.world, webapp.id);
  const refusal = refuseWhileIssuing(context, existing) ?? refuseSecond(context, existing);
  if (refusal !== null) return refusal;
  const certificate = install(context, webapp, { existing });
  if (certificate === null) return refuseOrder(context);
  const status = createdStatus(context.variants);
  return { ...sslReply(context, certificate, 'SSL installed.', status), issuanceMs: issuanceMs(context) };
});

export const updateSsl: Handler = withCertificate((context, certificate) => {
  const errors = findUpdateErrors(context.body);
  if (errors !== null) return unprocessable(errors);
  updateSettings(certificate, context.body);
  if (context.variants.methodOnBasicPatch === 'persisted') updateMethod(certificate, context.body);
  return sslReply(context, certificate, 'SSL settings updated.');
});

/** PUT, empty body, Let's Encrypt only (section 5). */
export const redeploySsl: Handler = withCertificate((context, certificate, webapp) => {
  const { world, variants } = context;
  if (certificate.provider !== 'letsencrypt') {
    return failure(422, "Only Let's Encrypt certificates can be redeployed.", variants);
  }
  const refusal =
    refuseWhileIssuing(context, certificate) ?? redeploy(context, certificate, domainsOf(world, webapp.id));
  if (refusal !== null) return refusal;
  const object = toFlatSsl(certificate, context);
  const reply = { status: 200, object, message: 'SSL redeployed.', variants };
  return { ...writeReply(variants.redeployReply, reply), issuanceMs: issuanceMs(context) };
});

export const deleteSsl: Handler = withCertificate((context, certificate) => {
  removeCertificates(context.world, [certificate]);
  return sslReply(context, certificate, 'SSL deleted.');
});

/** v2 answers with the SSL object for all four; v3 is not known (section 5, Behaviour). */
function sslReply(context: Context, certificate: Certificate, message: string, status = 200): Reply {
  const object = toFlatSsl(certificate, context);
  const { variants } = context;
  return writeReply(variants.sslWriteReply, { status, object, message, variants });
}
