// Who plays in the story, and what the simulated RunCloud does to them. Facts only; story.ts tells it.
import type { Seed, Simulator } from '../src/simulator/index.ts';

/** Names below .example are nobody's (RFC 2606). */
export const domains = {
  /** Registrable, so its www name comes with it. */
  apex: 'annas-bakery.example',
  /** Asked for by two app servers. */
  twice: 'shop.bikes.example',
  /** RunCloud's first answer is 503. */
  unlucky: 'blog.luna.example',
  /** There from the start, then removed; RunCloud's answer gets lost. */
  leaving: 'old-shop.example',
} as const;

export const seed: Seed = { webapps: [{ domains: [domains.leaving], covers: 'all' }] };

/** About 30 s in reality. */
export const ISSUANCE_LAG_MS = 1200;
/** RunCloud's answers take their time; so one can watch. */
const LATENCY_MS = 250;

/** How long things take in the demo; every other setting has its default. */
export const delays = {
  SSL_REDEPLOY_DELAY_MS: '6000',
  JOB_BACKOFF_MS: '1500',
} as const;

/** The simulator takes the first rule that fits. */
export function scriptFaults(simulator: Simulator): void {
  simulator.addFault({ kind: 'html', status: 503, operation: 'attach-domain', domain: domains.unlucky });
  simulator.addFault({ kind: 'drop-after', operation: 'delete-domain', domain: domains.leaving });
  simulator.addFault({ kind: 'slow', delayMs: LATENCY_MS, times: 'always' });
}
