// Who plays in the story, their DNS, and what the simulated RunCloud does to them. Facts only.
import {
  DEFAULT_IP_ADDRESS,
  DEFAULT_PRIMARY_DOMAIN,
  type Seed,
  type Simulator,
} from '../packages/simulator/src/index.ts';

/** Names below .example are nobody's (RFC 2606). */
export const domains = {
  /** Registrable, so its www name comes with it. */
  apex: 'annas-bakery.example',
  /** Two app servers request it. */
  twice: 'shop.bikes.example',
  /** RunCloud's first answer is 503. */
  unlucky: 'blog.luna.example',
  /** Points to the customer's old host; corrected in the middle of the story. */
  late: 'studio.mia.example',
  /** Is never set. */
  never: 'club.someday.example',
  /** There from the start, then removed; RunCloud's answer gets lost. */
  leaving: 'old-shop.example',
} as const;

/** Where every customer's DNS must point. */
export const HERE = { a: DEFAULT_IP_ADDRESS } as const;
const OLD_HOST = { a: '198.51.100.20' } as const;

const pointed = [
  DEFAULT_PRIMARY_DOMAIN,
  domains.leaving,
  domains.apex,
  `www.${domains.apex}`,
  domains.twice,
  domains.unlucky,
];

export const seed: Seed = {
  webapps: [{ domains: [domains.leaving], covers: 'all' }],
  dns: { ...Object.fromEntries(pointed.map((name) => [name, HERE])), [domains.late]: OLD_HOST },
};

/** About 30 s in reality. */
export const ISSUANCE_LAG_MS = 800;
/** RunCloud's answers take their time; so one can watch. */
const LATENCY_MS = 120;

/** The simulator takes the first rule that fits. */
export function scriptFaults(simulator: Simulator): void {
  simulator.addFault({ kind: 'html', status: 503, operation: 'attach-domain', domain: domains.unlucky });
  simulator.addFault({ kind: 'drop-after', operation: 'delete-domain', domain: domains.leaving });
  simulator.addFault({ kind: 'slow', delayMs: LATENCY_MS, times: 'always' });
}
