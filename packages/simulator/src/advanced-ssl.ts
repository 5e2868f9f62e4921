// The routes of advanced SSL (reference section 6): the mode switch .../ssl/advanced and one certificate per
// domain under .../domains/{d}/ssl. There is no route .../ssl/advanced/{id}/redeploy (section 11, UM-v3).
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
  toFlatSsl,
  toNestedSsl,
  updateMethod,
  updateSettings,
} from './certificates.ts';
import type { Context, Handler } from './context.ts';
import { notFound, withDomain, withWebapp } from './context.ts';
import { removeCertificates } from './issuance.ts';
import type { Reply } from './replies.ts';
import { createdStatus, failure, ok, single, unprocessable, writeReply } from './replies.ts';
import { booleanRule, findErrors, toBoolean } from './validation.ts';
import type { Certificate, Domain, Webapp } from './world.ts';
import { certificatesOf, domainCertificateOf } from './world.ts';

const SWITCH_RULES = [booleanRule('advancedSSL', true), booleanRule('autoSSL')];
const UPDATE_RULES = [booleanRule('advancedSSL'), booleanRule('autoSSL')];

/** A web application already in advanced mode proves that plan and API have it. */
const withPlan = (handle: (context: Context, webapp: Webapp) => Reply): Handler =>
  withWebapp((context, webapp) => {
    const { advancedStatus } = context.variants;
    if (webapp.advancedSsl || advancedStatus === '200') return handle(context, webapp);
    return failure(Number(advancedStatus), 'Advanced SSL is not available.', context.variants);
  });

export const getAdvancedSsl: Handler = withPlan(({ variants }, webapp) =>
  ok(single(toModeBody(webapp), variants)),
);

export const setAdvancedSsl: Handler = withPlan((context, webapp) => {
  const { body, world, variants } = context;
  const errors = findErrors(body, SWITCH_RULES);
  if (errors !== null) return unprocessable(errors);
  const isSwitched = webapp.advancedSsl !== toBoolean(body.advancedSSL);
  webapp.advancedSsl = toBoolean(body.advancedSSL);
  if (body.autoSSL !== undefined) webapp.autoSsl = toBoolean(body.autoSSL);
  if (isSwitched && variants.certificateOnSwitch === 'removed') {
    removeCertificates(world, certificatesOf(world, webapp.id));
  }
  // The reply echoes advancedSSL: Ansible fails otherwise (section 6).
  return { ...ok(single(toModeBody(webapp), variants)), applied: true };
});

const toModeBody = ({ advancedSsl, autoSsl }: Webapp): object => ({
  advancedSSL: advancedSsl,
  autoSSL: autoSsl,
});

/** Per-domain routes need advanced mode (section 6, glama-useful); the refusal is not known. */
const withAdvancedMode = (handle: (context: Context, domain: Domain, webapp: Webapp) => Reply): Handler =>
  withDomain((context, domain, webapp) =>
    webapp.advancedSsl
      ? handle(context, domain, webapp)
      : failure(
          Number(context.variants.domainSslInBasicMode),
          'Advanced SSL is not enabled.',
          context.variants,
        ),
  );

const withCertificate = (
  handle: (context: Context, certificate: Certificate, domain: Domain) => Reply,
): Handler =>
  withAdvancedMode((context, domain) => {
    const certificate = domainCertificateOf(context.world, domain.id);
    const isMatch = certificate !== undefined && certificate.id === context.parameters.ssl;
    return isMatch ? handle(context, certificate, domain) : notFound(context, 'SSL');
  });

export const getDomainSsl: Handler = withAdvancedMode((context, domain) => {
  const { world, variants } = context;
  const certificate = domainCertificateOf(world, domain.id);
  if (certificate === undefined || !isVisible(certificate, context)) return withoutSsl(context);
  const object = toFlatSsl(certificate, context);
  if (variants.domainSslShape === 'wrapped') return ok({ data: object });
  if (variants.domainSslShape === 'flat') return ok(single(object, variants));
  const row = { id: domain.id, name: domain.name, ssl: toNestedSsl(certificate, context) };
  return ok(single(row, variants));
});

/** Ansible takes any status from 400 up as none (section 6); the body is not known. */
function withoutSsl(context: Context): Reply {
  const { noDomainSsl } = context.variants;
  if (noDomainSsl === '404') return notFound(context, 'SSL');
  if (noDomainSsl === '422') return failure(422, 'SSL not found.', context.variants);
  return ok(noDomainSsl === 'null-200' ? { ssl: null } : { message: 'SSL not installed!' });
}

export const installDomainSsl: Handler = withAdvancedMode((context, domain, webapp) => {
  const errors = findInstallErrors(context.body);
  if (errors !== null) return unprocessable(errors);
  const existing = domainCertificateOf(context.world, domain.id);
  const refusal = refuseWhileIssuing(context, existing) ?? refuseSecond(context, existing);
  if (refusal !== null) return refusal;
  const certificate = install(context, webapp, { domain, existing });
  if (certificate === null) return refuseOrder(context);
  const status = createdStatus(context.variants);
  return {
    ...domainSslReply(context, certificate, 'SSL installed.', status),
    issuanceMs: issuanceMs(context),
  };
});

export const updateDomainSsl: Handler = withCertificate((context, certificate) => {
  const errors = findUpdateErrors(context.body, UPDATE_RULES);
  if (errors !== null) return unprocessable(errors);
  updateSettings(certificate, context.body);
  updateMethod(certificate, context.body);
  return domainSslReply(context, certificate, 'SSL settings updated.');
});

/** The docs page v2/api-9849816 is this route, PUT without a body. */
export const redeployDomainSsl: Handler = withCertificate((context, certificate, domain) => {
  if (certificate.provider !== 'letsencrypt') {
    return failure(422, "Only Let's Encrypt certificates can be redeployed.", context.variants);
  }
  const refusal = refuseWhileIssuing(context, certificate) ?? redeploy(context, certificate, [domain]);
  if (refusal !== null) return refusal;
  return { ...domainSslReply(context, certificate, 'SSL redeployed.'), issuanceMs: issuanceMs(context) };
});

export const deleteDomainSsl: Handler = withCertificate((context, certificate) => {
  removeCertificates(context.world, [certificate]);
  return domainSslReply(context, certificate, 'SSL deleted.');
});

function domainSslReply(context: Context, certificate: Certificate, message: string, status = 200): Reply {
  const object = toFlatSsl(certificate, context);
  const { variants } = context;
  return writeReply(variants.domainSslReply, { status, object, message, variants });
}
