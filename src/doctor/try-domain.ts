// `doctor --try-domain NAME`: how RunCloud answers writes. Attaches and deletes one unused name,
// twice each. A journal is written before each step. At the end, after Ctrl-C, or in the next run
// everything is removed again. In advanced mode the trial may order a certificate of Let's
// Encrypt's staging environment too.
import type { RawCall, RawCalls, RawReply } from '../runcloud/raw-calls.ts';
import type { RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import type { Journal, TrialState } from './journal.ts';
import * as messages from './messages.ts';
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
  /** What our own records have of the name, if anything. */
  readonly findRecord: (name: string) => Promise<string | undefined>;
  /** Pauses our own jobs of the web application. Returns when; undefined: it was paused before. */
  readonly pause: (app: WebApplication) => Promise<number | undefined>;
  /** Ends that pause. False: it is over, or another one has replaced it. */
  readonly resume: (app: WebApplication, pausedAt: number) => Promise<boolean>;
  readonly wait: (ms: number) => Promise<void>;
  /** Called before each step. */
  readonly onStep: (sentence: string) => void;
  /** Called with each result. */
  readonly print: (sentence: string) => void;
  /** A person has stopped the trial: it only removes what is left. */
  readonly isStopped: () => boolean;
}

export interface Trial {
  readonly observations: readonly Observation[];
  readonly switches: Readonly<Record<string, string>>;
  readonly isStopped: boolean;
}

/** Nothing was written. */
export class TrialRefusal extends Error {
  readonly code: keyof typeof messages.refusals;
  constructor(code: keyof typeof messages.refusals, message: string) {
    super(message);
    this.code = code;
  }
}

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
    ports.print(
      pausedAt === undefined ? messages.stillPaused(app.appId) : messages.pausedForTrial(app.appId),
    );
    await trial.run('attach', attachCall(request, ports));
    if (!trial.left().isRefused) {
      await trial.run('attach-again', attachCall(request, ports));
      const id = await trial.find();
      if (id !== undefined) await checkDomain(id, trial, withCertificate, ports);
    }
  } finally {
    await undo(trial.left(), ports);
  }
  ports.onStep(messages.removedAgain(name));
  const { observations, replies } = trial;
  return { observations, switches: judgeTry(replies), isStopped: ports.isStopped() };
}

async function refuseUnsafe({ name, app, withCertificate }: TrialRequest, ports: TryPorts): Promise<void> {
  const record = await ports.findRecord(name);
  if (record) throw new TrialRefusal('known', messages.refusals.known(name, record));
  const { advanced, autoSsl } = await ports.runcloud.getSslMode(app);
  if (autoSsl) throw new TrialRefusal('autoSsl', messages.refusals.autoSsl(name, app.appId));
  if (withCertificate && !advanced)
    throw new TrialRefusal('sharedCertificate', messages.refusals.sharedCertificate(app.appId));
  const attached = await ports.runcloud.listDomains(app);
  const twins = [name, `www.${name}`, name.replace(/^www\./, '')];
  const taken = attached.find((domain) => twins.includes(domain.name));
  if (taken) throw new TrialRefusal('attached', messages.refusals.attached(taken.name, app.appId));
}

/** `template`: the path in the report, without ids. */
type TrialCall = RawCall & { readonly template: string };

interface TrialRun {
  readonly observations: Observation[];
  readonly replies: Record<string, RawReply | undefined>;
  left(): TrialState;
  note(step: string, more?: Partial<TrialState>): void;
  /** Sends one call, unless the trial is stopped. */
  run(name: string, call: TrialCall): Promise<RawReply | undefined>;
  /** The id of the attached domain, from the list. If the list is behind: from the reply. */
  find(): Promise<number | undefined>;
}

const APP = '/servers/{server}/webapps/{webapp}';

function createTrial({ name, app }: TrialRequest, ports: TryPorts): TrialRun {
  const replies: Record<string, RawReply | undefined> = {};
  const observations: Observation[] = [];
  let left: TrialState = { name, ...app, step: 'begin' };
  const note = (step: string, more: Partial<TrialState> = {}): void => {
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
      ports.print(messages.replied(reply?.status));
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

/** What a reply to a write says about our domain and the rest. */
function learn(step: string, reply: RawReply | undefined): Partial<TrialState> {
  if (step === 'attach') return learnOfAttach(reply);
  if (step === 'delete' && isOk(reply)) return { isRemoved: true };
  return isOk(reply) || isRefusal(reply) ? {} : { isUnsure: true };
}

function learnOfAttach(reply: RawReply | undefined): Partial<TrialState> {
  if (isRefusal(reply)) return { isRefused: true };
  const domainId = isOk(reply) ? numberOf(objectOf(reply)?.row.id) : undefined;
  return domainId === undefined ? { isUnsure: true } : { domainId };
}

/** In RunCloud's own words: a page or a gateway's error says nothing about the write. */
const isRefusal = (reply: RawReply | undefined): boolean =>
  reply !== undefined && reply.status >= 400 && reply.status < 500 && reply.body.kind === 'json';

const appPath = ({ serverId, appId }: WebApplication): string => `/servers/${serverId}/webapps/${appId}`;

function attachCall({ name, app }: TrialRequest, { version }: TryPorts) {
  const settings = { name, www: false, redirection: 'none' };
  // As the client sends it: [D] runcloud.io/docs/api/v3/api-8617111; v2 is only known to take these
  // three.
  const json = version === 'v3' ? { ...settings, type: 'alias' } : settings;
  return { method: 'POST', path: `${appPath(app)}/domains`, template: `${APP}/domains`, json } as const;
}

async function checkDomain(
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

/**
 * [D] runcloud.io/docs/api/v3/api-8811386. No browser trusts this environment, and its limits are
 * high.
 */
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
  const readId = async (step: string): Promise<number | undefined> => {
    const found = objectOf(await trial.run(step, { method: 'GET', ...own }))?.row;
    return numberOf((isRow(found?.ssl) ? found.ssl : found)?.id);
  };
  let id = await readId('get-domain-ssl');
  if (id === undefined && !isStopped()) {
    onStep(messages.certificateDelayed(ISSUANCE_MS));
    await wait(ISSUANCE_MS);
    id = await readId('get-domain-ssl-later');
  }
  if (id === undefined) return;
  const certificate = { path: `${own.path}/${id}`, template: `${own.template}/{ssl}` };
  await trial.run('delete-domain-ssl', { method: 'DELETE', ...certificate });
}
