// redeploy-ssl: RunCloud issues the certificate anew, so that it covers what was attached since. It never installs one.
import { PermanentError } from '../errors.ts';
import type { Certificates } from '../intent/certificates.ts';
import { type Fenced, underFence } from '../intent/fence.ts';
import { done, type Outcome, superseded, waiting } from '../outcome.ts';
import type { Directory } from '../runcloud/directory.ts';
import type { AttachedDomain, CallOptions, RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import { BUSY_MS } from './domain-work.ts';

/** One redeploy at work. `domains` undefined: all of the web application's. */
export interface RedeployWork {
  readonly app: WebApplication;
  readonly startedAt: number;
  readonly domains: readonly string[] | undefined;
  readonly jobId: string;
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
  readonly certificates: Pick<Certificates, 'covered' | 'spread' | 'beginWrite' | 'renewWrite' | 'endWrite'>;
}

export type RedeployHandler = (work: RedeployWork) => Promise<Outcome>;

export function createRedeploySsl(ports: RedeployPorts): RedeployHandler {
  return async (work) => {
    const { advanced } = await ports.runcloud.getSslMode(work.app, work.calls);
    return advanced ? redeployEach(work, ports) : redeployShared(work, ports);
  };
}

async function redeployShared(work: RedeployWork, ports: RedeployPorts): Promise<Outcome> {
  const { app, domains, calls } = work;
  const certificate = await ports.runcloud.getCertificate(app, calls);
  if (!certificate) {
    const sentence = `web application ${app.appId} has no certificate to redeploy; install one in RunCloud first`;
    throw new PermanentError('no-certificate', sentence);
  }
  const fate = await order(work, ports, (options) =>
    ports.runcloud.redeployCertificate(app, certificate, options),
  );
  if (fate !== 'written') return unordered(fate);
  const asked = domains ? `, after changes to ${counted(domains.length)}` : '';
  return done(`the certificate of web application ${app.appId} is being redeployed${asked}`);
}

async function redeployEach(work: RedeployWork, ports: RedeployPorts): Promise<Outcome> {
  const { app, domains, startedAt, calls } = work;
  const attached = await ports.directory.list(app, startedAt, calls);
  const wanted = domains ? attached.filter(({ name }) => domains.includes(name)) : attached;
  if (!domains)
    await ports.certificates.spread(
      app,
      wanted.map(({ name }) => name),
    );
  const bare: string[] = [];
  for (const domain of wanted) {
    const fate = await redeployOne(domain, work, ports);
    if (fate === 'bare') bare.push(domain.name);
    else if (fate !== 'written') return unordered(fate);
  }
  if (bare.length > 0) {
    const sentence = `no certificate to redeploy for ${bare.join(', ')}; install one per domain in RunCloud`;
    throw new PermanentError('no-certificate', sentence);
  }
  return done(`the certificates of ${counted(wanted.length)} are being redeployed`);
}

type Fate = Fenced<void>['fate'];

async function redeployOne(
  domain: AttachedDomain,
  work: RedeployWork,
  ports: RedeployPorts,
): Promise<Fate | 'bare'> {
  const { app, startedAt, calls } = work;
  const { runcloud, certificates } = ports;
  const certificate = await runcloud.getDomainCertificate(app, domain, calls);
  if (!certificate) return 'bare';
  const fate = await order(work, ports, (options) =>
    runcloud.redeployDomainCertificate(app, domain, certificate, options),
  );
  if (fate === 'written') await certificates.covered(app, domain.name, startedAt);
  return fate;
}

/** One order of a certificate, under the fence of its web application. */
async function order(
  { app, jobId, calls }: RedeployWork,
  { certificates }: RedeployPorts,
  send: (options: CallOptions) => Promise<void>,
): Promise<Fate> {
  return (await underFence(certificates, app, jobId, calls, send)).fate;
}

const unordered = (fate: 'superseded' | 'busy'): Outcome =>
  fate === 'superseded'
    ? superseded('another redeploy of this web application has taken over')
    : waiting('another run may still be redeploying this certificate', BUSY_MS);

const counted = (count: number): string => (count === 1 ? '1 domain' : `${count} domains`);
