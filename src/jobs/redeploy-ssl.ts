// redeploy-ssl: RunCloud reissues the certificate, so that it covers what was attached since. If there is none, it is installed if the
// settings say so. One certificate for all domains (basic SSL), or one each (advanced SSL).
import type { Outcome } from '../domains/outcome.ts';
import { AdvancedModeError } from '../runcloud/errors.ts';
import { redeployAdvanced } from './redeploy/advanced.ts';
import { redeployBasic } from './redeploy/basic.ts';
import type { RedeployPorts, RedeployWork } from './redeploy/work.ts';

export type RedeployHandler = (work: RedeployWork) => Promise<Outcome>;

export function createRedeploySsl(ports: RedeployPorts): RedeployHandler {
  return async (work) => {
    // A person waits for this order: it is judged by what RunCloud has now.
    const subject = work.atOnce ? { ...work.app, requestedAt: work.newestRequestAt } : work.app;
    const facts = await ports.facts.read(subject, work.calls);
    if (facts.advanced) return redeployAdvanced(work, facts, ports);
    try {
      return await redeployBasic(work, facts, ports);
    } catch (error) {
      if (!(error instanceof AdvancedModeError)) throw error;
      await ports.facts.noteAdvanced(work.app);
      return redeployAdvanced(work, { ...facts, advanced: true }, ports);
    }
  };
}
