// `doctor --try-domain NAME`: what RunCloud answers to writes, tried with one name that nobody uses: attach it twice, look, delete it twice,
// look. A journal is written before each step, and everything is taken back in the end, after Ctrl-C, or by the next run. In advanced mode a
// certificate of Let's Encrypt's staging environment may be tried too.
import type { RawCall, RawCalls, RawReply } from '../runcloud/raw-calls.ts';
import type { RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import type { Journal, Left } from './journal.ts';
import { isOk, numberOf, objectOf } from './replies.ts';
import { isRow } from './shape.ts';
import { type Observation, observe } from './survey.ts';
import { judgeTry } from './try-switches.ts';
import { undo } from './undo.ts';

export interface TryPorts {
  readonly calls: Pick<RawCalls, 'send'>;
  readonly version: 'v2' | 'v3';
  readonly runcloud: Pick<
    RunCloud,
    'listDomains' | 'detachDomain' | 'getSslMode' | 'getDomainCertificate' | 'removeDomainCertificate'
  >;
  readonly journal: Journal;
  /** Why our own records know the name; undefined where they do not. */
  readonly findRecord: (name: string) => Promise<string | undefined>;
  /** Keeps our own jobs of the web application from running; when, or undefined where somebody else has paused it already. */
  readonly pause: (app: WebApplication) => Promise<number | undefined>;
  /** Ends the pause that was set then; false where it is over, or another one has replaced it. */
  readonly resume: (app: WebApplication, pausedAt: number) => Promise<boolean>;
  readonly wait: (ms: number) => Promise<void>;
  /** Told before each step. */
  readonly onStep: (sentence: string) => void;
  /** Told what came of it. */
  readonly say: (sentence: string) => void;
  /** Somebody wants it to end: what is left is only taken back. */
  readonly isStopped: () => boolean;
}

export interface Trial {
  readonly observations: readonly Observation[];
  readonly switches: Readonly<Record<string, string>>;
  readonly isStopped: boolean;
}

/** Nothing was written; the message says why. */
export class TrialRefusal extends Error {}

export interface TrialRequest {
  readonly name: string;
  readonly app: WebApplication;
  readonly withCertificate: boolean;
}

/** [F] "within ~30 s the cert SAN includes both names". */
const ISSUANCE_MS = 40_000;

export async function tryDomain(request: TrialRequest, ports: TryPorts): Promise<Trial> {
  await refuseUnsafe(request, ports);
  const { name, app, withCertificate } = request;
  const trial = createTrial(request, ports);
  trial.note('pause');
  try {
    const pausedAt = await ports.pause(app);
    if (pausedAt !== undefined) trial.note('paused', { pausedAt });
    ports.say(
      pausedAt === undefined
        ? `web application ${app.appId} is paused already, and stays so`
        : `web application ${app.appId} is paused meanwhile`,
    );
    await trial.run('attach', attachCall(request, ports));
    if (!trial.left().isRefused) {
      await trial.run('attach-again', attachCall(request, ports));
      const id = await trial.find();
      if (id !== undefined) await lookAt(id, trial, withCertificate, ports);
    }
  } finally {
    await undo(trial.left(), ports);
  }
  ports.onStep(`${name} is gone again`);
  const { observations, replies } = trial;
  return { observations, switches: judgeTry(replies), isStopped: ports.isStopped() };
}

async function refuseUnsafe({ name, app, withCertificate }: TrialRequest, ports: TryPorts): Promise<void> {
  const record = await ports.findRecord(name);
  if (record) throw new TrialRefusal(`${name} is known here: ${record}; take a name that nobody uses`);
  const { advanced, autoSsl } = await ports.runcloud.getSslMode(app);
  if (autoSsl)
    throw new TrialRefusal(
      `AutoSSL is on for web application ${app.appId}, so RunCloud would order a certificate for ${name} by itself; try it on another one`,
    );
  if (withCertificate && !advanced)
    throw new TrialRefusal(
      `--with-certificate needs advanced SSL: on web application ${app.appId} all domains share one certificate, which a trial must not touch`,
    );
  const attached = await ports.runcloud.listDomains(app);
  const twins = [name, `www.${name}`, name.replace(/^www\./, '')];
  const taken = attached.find((domain) => twins.includes(domain.name));
  if (taken)
    throw new TrialRefusal(`${taken.name} is on web application ${app.appId}; take a name that nobody uses`);
}

/** `template`: the path as it stands in the report, without ids. */
type TrialCall = RawCall & { readonly template: string };

interface TrialRun {
  readonly observations: Observation[];
  readonly replies: Record<string, RawReply | undefined>;
  left(): Left;
  note(step: string, more?: Partial<Left>): void;
  /** Sends one call, unless somebody wants it to end. */
  run(name: string, call: TrialCall): Promise<RawReply | undefined>;
  /** The id of what was attached: as the list has it, or, where the list is behind, as the reply had it. */
  find(): Promise<number | undefined>;
}

const APP = '/servers/{server}/webapps/{webapp}';

function createTrial({ name, app }: TrialRequest, ports: TryPorts): TrialRun {
  const replies: Record<string, RawReply | undefined> = {};
  const observations: Observation[] = [];
  let left: Left = { name, ...app, step: 'begin' };
  const note = (step: string, more: Partial<Left> = {}): void => {
    left = { ...left, ...more, step };
    ports.journal.write(left);
  };
  return {
    observations,
    replies,
    left: () => left,
    note,
    async run(step, { template, ...call }) {
      if (ports.isStopped()) return undefined;
      const request = `${call.method} ${template}`;
      ports.onStep(request);
      note(step, step === 'install-domain-ssl' ? { hasCertificate: true } : {});
      const reply = await ports.calls.send(call);
      ports.say(`  -> ${reply ? `HTTP ${reply.status}` : 'no answer'}`);
      replies[step] = reply;
      observations.push(observe(step, request, reply));
      if (call.method !== 'GET') note(step, learn(step, reply));
      return reply;
    },
    async find() {
      if (ports.isStopped()) return undefined;
      ports.onStep(`GET ${APP}/domains, all pages`);
      const row = (await ports.runcloud.listDomains(app)).find((domain) => domain.name === name);
      if (row) note('list', { domainId: row.id });
      return left.domainId;
    },
  };
}

/** What a reply to a write says about what is ours, and what is left. */
function learn(step: string, reply: RawReply | undefined): Partial<Left> {
  if (step === 'attach') return learnOfAttach(reply);
  if (step === 'delete' && isOk(reply)) return { isRemoved: true };
  return isOk(reply) || isRefusal(reply) ? {} : { isUnsure: true };
}

function learnOfAttach(reply: RawReply | undefined): Partial<Left> {
  if (isRefusal(reply)) return { isRefused: true };
  const domainId = isOk(reply) ? numberOf(objectOf(reply)?.row.id) : undefined;
  return domainId === undefined ? { isUnsure: true } : { domainId };
}

/** In RunCloud's own words: a page or a gateway's error says nothing of what the write did. */
const isRefusal = (reply: RawReply | undefined): boolean =>
  reply !== undefined && reply.status >= 400 && reply.status < 500 && reply.body.kind === 'json';

const appPath = ({ serverId, appId }: WebApplication): string => `/servers/${serverId}/webapps/${appId}`;

function attachCall({ name, app }: TrialRequest, { version }: TryPorts) {
  const settings = { name, www: false, redirection: 'none' };
  // As the client sends it: [D] runcloud.io/docs/api/v3/api-8617111; v2 is only known to take these three.
  const json = version === 'v3' ? { ...settings, type: 'alias' } : settings;
  return { method: 'POST', path: `${appPath(app)}/domains`, template: `${APP}/domains`, json } as const;
}

async function lookAt(
  domainId: number,
  trial: TrialRun,
  withCertificate: boolean,
  ports: TryPorts,
): Promise<void> {
  const { serverId, appId } = trial.left();
  const path = `${appPath({ serverId, appId })}/domains/${domainId}`;
  const template = `${APP}/domains/{domain}`;
  await trial.run('get-domain', { method: 'GET', path, template });
  await trial.run('get-ssl', {
    method: 'GET',
    path: `${appPath({ serverId, appId })}/ssl`,
    template: `${APP}/ssl`,
  });
  if (withCertificate) await tryCertificate({ path, template }, trial, ports);
  await trial.run('delete', { method: 'DELETE', path, template });
  await trial.run('delete-again', { method: 'DELETE', path, template });
}

/** [D] runcloud.io/docs/api/v3/api-8811386, with the environment whose certificates nobody trusts and whose limits are far away. */
const STAGING = {
  advancedSSL: true,
  autoSSL: false,
  provider: 'letsencrypt',
  enableHttp: true,
  enableHsts: false,
  authorizationMethod: 'http-01',
  environment: 'staging',
};

async function tryCertificate(
  domain: Pick<TrialCall, 'path' | 'template'>,
  trial: TrialRun,
  { wait, onStep, isStopped }: TryPorts,
): Promise<void> {
  const own = { path: `${domain.path}/ssl`, template: `${domain.template}/ssl` };
  await trial.run('install-domain-ssl', { method: 'POST', ...own, json: STAGING });
  const look = async (step: string): Promise<number | undefined> => {
    const found = objectOf(await trial.run(step, { method: 'GET', ...own }))?.row;
    return numberOf((isRow(found?.ssl) ? found.ssl : found)?.id);
  };
  let id = await look('get-domain-ssl');
  if (id === undefined && !isStopped()) {
    onStep(`the certificate does not show yet; looking again in ${ISSUANCE_MS / 1000} s`);
    await wait(ISSUANCE_MS);
    id = await look('get-domain-ssl-later');
  }
  if (id === undefined) return;
  const certificate = { path: `${own.path}/${id}`, template: `${own.template}/{ssl}` };
  await trial.run('delete-domain-ssl', { method: 'DELETE', ...certificate });
}
