// What finds out how RunCloud answers for this account: raw calls beside the client, and, for a trial, our own records. Part of the wiring
// (app.ts).
import type { Config } from '../config/load.ts';
import type { TryPorts } from '../doctor/try-domain.ts';
import { parseDomainName } from '../domains/domain-name.ts';
import { bareOf, twinOf } from '../domains/owner.ts';
import { describeScope } from '../queue/pauses.ts';
import { createRunCloud } from '../runcloud/client.ts';
import { createRawCalls, type RawCalls } from '../runcloud/raw-calls.ts';
import type { RunCloud, WebApplication } from '../runcloud/runcloud.ts';
import type { ProducerApp } from './producer.ts';
import { toRunCloudSettings } from './settings.ts';

export interface Investigation {
  readonly calls: RawCalls;
  readonly runcloud: RunCloud;
  readonly version: 'v2' | 'v3';
  close(): void;
}

/** Undefined where no credentials are configured. */
export function createInvestigation(config: Config): Investigation | undefined {
  const { credentials } = config.runcloud;
  if (!credentials) return undefined;
  const settings = toRunCloudSettings(config, credentials);
  const calls = createRawCalls({ ...settings, credentials });
  const runcloud = createRunCloud(settings);
  return {
    calls,
    runcloud,
    version: settings.version,
    close() {
      calls.close();
      runcloud.close();
    },
  };
}

/** After a killed trial our jobs continue automatically. */
const PAUSE_MS = 15 * 60_000;
const TRIAL_REASON = '`doctor --try-domain` is running';

/** What a trial needs of our own side. */
export function createTrialRecords(
  { requests, pauses, audit }: Pick<ProducerApp, 'requests' | 'pauses' | 'audit'>,
  by: string,
): Pick<TryPorts, 'findRecord' | 'pause' | 'resume'> {
  const { store } = requests;
  const scopeOf = ({ serverId, appId }: WebApplication) => ({ kind: 'app', serverId, appId }) as const;
  return {
    async findRecord(name) {
      const domain = parseDomainName(name);
      const bare = bareOf(domain);
      const names = [domain, twinOf(domain), ...(bare ? [bare] : [])];
      const [found] = (await Promise.all(names.map((each) => store.everywhere(each)))).flat();
      return found && `${found.domain} was requested on web application ${found.appId} and is ${found.state}`;
    },
    async pause(app) {
      const isOurs = ({ serverId, appId }: WebApplication): boolean =>
        serverId === app.serverId && appId === app.appId;
      if ((await pauses.list()).some(({ scope }) => scope.kind === 'app' && isOurs(scope))) return undefined;
      const untilMs = (await store.now()) + PAUSE_MS;
      const scope = scopeOf(app);
      const { at, reason } = await pauses.pause({ scope, reason: TRIAL_REASON, by, untilMs });
      const detail = `${describeScope(scope)}, until ${new Date(untilMs).toISOString()}: ${reason}`;
      await audit.record({ who: by, what: 'pause', detail });
      return at;
    },
    async resume(app, at) {
      const scope = scopeOf(app);
      if (!(await pauses.resumeOwn({ scope, at }))) return false;
      await audit.record({ who: by, what: 'resume', detail: `${describeScope(scope)}: the trial has ended` });
      return true;
    },
  };
}
