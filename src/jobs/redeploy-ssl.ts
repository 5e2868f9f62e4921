// redeploy-ssl: RunCloud issues the certificate anew, so that it covers what was attached since; where there is none, it is
// installed if the settings say so. One certificate for all domains (basic SSL), or one each (advanced SSL).
import type { Outcome } from '../outcome.ts';
import { redeployEach } from './redeploy-each.ts';
import { redeployShared } from './redeploy-shared.ts';
import type { RedeployPorts, RedeployWork } from './redeploy-work.ts';

export type RedeployHandler = (work: RedeployWork) => Promise<Outcome>;

export function createRedeploySsl(ports: RedeployPorts): RedeployHandler {
  return async (work) => {
    const facts = await ports.facts.read(work.app, work.calls);
    return facts.advanced ? redeployEach(work, facts, ports) : redeployShared(work, facts, ports);
  };
}
