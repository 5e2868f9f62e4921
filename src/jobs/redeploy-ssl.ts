// redeploy-ssl: RunCloud issues the certificate anew, so that it covers what was attached since. It never installs one.
import { PermanentError } from '../errors.ts';
import { done, type Outcome } from '../outcome.ts';
import type { Directory } from '../runcloud/directory.ts';
import type { AttachedDomain, CallOptions, RunCloud, WebApplication } from '../runcloud/runcloud.ts';

/** One redeploy at work. `domains` undefined: all of the web application's. */
export interface RedeployWork {
  readonly app: WebApplication;
  readonly startedAt: number;
  readonly domains: readonly string[] | undefined;
  readonly calls: CallOptions;
}

export interface RedeployPorts {
  readonly runcloud: Pick<
    RunCloud,
    | 'getSslMode'
    | 'getCertificate'
    | 'redeployCertificate'
    | 'getDomainCertificate'
    | 'redeployDomainCertificate'
  >;
  readonly directory: Directory;
  /** Records that a name needs no further redeploy, so that a retry does not order it again. */
  readonly covered: (app: WebApplication, domain: string, startedAt: number) => Promise<void>;
}

export type RedeployHandler = (work: RedeployWork) => Promise<Outcome>;

export function createRedeploySsl(ports: RedeployPorts): RedeployHandler {
  return async (work) => {
    const { advanced } = await ports.runcloud.getSslMode(work.app, work.calls);
    return advanced ? redeployEach(work, ports) : redeployShared(work, ports);
  };
}

async function redeployShared(
  { app, domains, calls }: RedeployWork,
  { runcloud }: RedeployPorts,
): Promise<Outcome> {
  const certificate = await runcloud.getCertificate(app, calls);
  if (!certificate) {
    throw new PermanentError(
      'no-certificate',
      `web application ${app.appId} has no certificate to redeploy; install one in RunCloud first`,
    );
  }
  await runcloud.redeployCertificate(app, certificate, calls);
  const asked = domains ? `, after changes to ${counted(domains.length)}` : '';
  return done(`the certificate of web application ${app.appId} is being redeployed${asked}`);
}

async function redeployEach(work: RedeployWork, ports: RedeployPorts): Promise<Outcome> {
  const { app, domains, startedAt, calls } = work;
  const attached = await ports.directory.list(app, startedAt, calls);
  const wanted = domains ? attached.filter(({ name }) => domains.includes(name)) : attached;
  const bare: string[] = [];
  for (const domain of wanted) if (!(await redeployOne(domain, work, ports))) bare.push(domain.name);
  if (bare.length > 0) {
    throw new PermanentError(
      'no-certificate',
      `no certificate to redeploy for ${bare.join(', ')}; install one per domain in RunCloud`,
    );
  }
  return done(`the certificates of ${counted(wanted.length)} are being redeployed`);
}

async function redeployOne(
  domain: AttachedDomain,
  { app, startedAt, calls }: RedeployWork,
  { runcloud, covered }: RedeployPorts,
): Promise<boolean> {
  const certificate = await runcloud.getDomainCertificate(app, domain, calls);
  if (!certificate) return false;
  await runcloud.redeployDomainCertificate(app, domain, certificate, calls);
  await covered(app, domain.name, startedAt);
  return true;
}

const counted = (count: number): string => (count === 1 ? '1 domain' : `${count} domains`);
