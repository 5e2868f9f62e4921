// The calls that change certificates: install, redeploy, remove. Their replies are not reliable
// (docs/reference/runcloud-api.md), so any 2xx is a success. No field is read: v2's reply has the
// private key.
import type { Operation } from './errors.ts';
import type { Exchange, Http } from './http.ts';
import type { AttachedDomain, CallOptions, InstallSettings, RunCloud, WebApplication } from './runcloud.ts';
import { toAppPath } from './ssl-calls.ts';

type SslWrites = Pick<
  RunCloud,
  | 'installCertificate'
  | 'redeployCertificate'
  | 'removeCertificate'
  | 'installDomainCertificate'
  | 'redeployDomainCertificate'
  | 'removeDomainCertificate'
  | 'switchDomainToHttp01'
>;

const toSslPath = (app: WebApplication): string => `${toAppPath(app)}/ssl`;
const toDomainSslPath = (app: WebApplication, { id }: AttachedDomain): string =>
  `${toAppPath(app)}/domains/${id}/ssl`;

/**
 * [F] the body that worked live on v3 (a client's notes): `live` or `staging`, since `production`
 * is rejected. RunCloud documents no page of `POST …/ssl`, and [D] api-8811386 shows the same
 * fields for one domain. `externalApi` is a DNS integration's id, which dns-01 needs ([C] two
 * clients).
 */
function toInstallBody({ environment, challenge, dnsIntegration }: InstallSettings): object {
  const isDns = challenge === 'dns-01' && dnsIntegration !== undefined;
  return {
    provider: 'letsencrypt',
    enableHttp: true,
    enableHsts: false,
    authorizationMethod: challenge,
    environment,
    ...(isDns ? { externalApi: dnsIntegration } : {}),
  };
}

type WriteMethod = Exclude<Exchange['method'], 'GET'>;

function createWrite(http: Http) {
  return async (
    operation: Operation,
    [method, path]: readonly [WriteMethod, string],
    options: CallOptions | undefined,
    json?: object,
  ): Promise<void> => {
    await http.exchange({ operation, method, path, json, options });
  };
}

export function createSslWrites(http: Http): SslWrites {
  const write = createWrite(http);
  return {
    installCertificate: (app, settings, options) =>
      write('installCertificate', ['POST', toSslPath(app)], options, toInstallBody(settings)),
    // [S] RunCloudIO/runcloud-sdk-php src/config.php: PUT, empty body.
    redeployCertificate: (app, { id }, options) =>
      write('redeployCertificate', ['PUT', `${toSslPath(app)}/${id}`], options),
    // [S] the same file.
    removeCertificate: (app, { id }, options) =>
      write('removeCertificate', ['DELETE', `${toSslPath(app)}/${id}`], options),
    // [D] runcloud.io/docs/api/v3/api-8811386 has both flags in its example.
    installDomainCertificate: (app, domain, settings, options) => {
      const flags = { advancedSSL: true, autoSSL: settings.autoSsl ?? false };
      const body = { ...flags, ...toInstallBody(settings) };
      return write('installDomainCertificate', ['POST', toDomainSslPath(app, domain)], options, body);
    },
    // [D] runcloud.io/docs/api/v2/api-9849816
    redeployDomainCertificate: (app, domain, { id }, options) =>
      write('redeployDomainCertificate', ['PUT', `${toDomainSslPath(app, domain)}/${id}`], options),
    // [L] a client's notes: v3 takes authorizationMethod and persists it, although [D] api-8812824
    // shows other fields. Fields that stay must be sent too.
    switchDomainToHttp01: (app, domain, { id, enableHttp, enableHsts, sslProtocolId }, options) => {
      const body = { authorizationMethod: 'http-01', enableHttp, enableHsts, sslProtocolId };
      const path = `${toDomainSslPath(app, domain)}/${id}`;
      return write('switchDomainToHttp01', ['PATCH', path], options, body);
    },
    // [S] the route alone.
    removeDomainCertificate: (app, domain, { id }, options) =>
      write('removeDomainCertificate', ['DELETE', `${toDomainSslPath(app, domain)}/${id}`], options),
  };
}
