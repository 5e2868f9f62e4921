// The settings that the demo's programs run with. The user's own never count, so that no real RunCloud can be reached.

import {
  DEFAULT_SERVER_ID,
  DEFAULT_WEBAPP_ID,
  type Edge,
  type Simulator,
} from '../packages/simulator/src/index.ts';
import { entries } from '../src/config/load.ts';
import { delays } from './hurry.ts';

export interface DemoRedis {
  readonly url: string;
  readonly prefix: string;
  /** It was there before us (REDIS_URL), and stays. */
  readonly isNamed: boolean;
}

/** What a program needs to talk to this demo: the worker, and the person in a second terminal. */
export const toConnection = ({ url, prefix }: DemoRedis, simulator: Simulator): Record<string, string> => ({
  REDIS_URL: url,
  QUEUE_PREFIX: prefix,
  RUNCLOUD_API_URL: `${simulator.url}/api/v3`,
  RUNCLOUD_API_TOKEN: simulator.credentials.token,
  RUNCLOUD_SERVER_ID: String(DEFAULT_SERVER_ID),
  RUNCLOUD_APP_ID: String(DEFAULT_WEBAPP_ID),
});

/** `caFile` has the authority behind the simulated Let's Encrypt. */
export const toWorkerEnvironment = (
  connection: Record<string, string>,
  { dnsAddress, tlsAddress }: Edge,
  caFile: string,
): Record<string, string> => ({
  ...connection,
  ...delays,
  DNS_SERVERS: dnsAddress,
  TLS_PROBE: 'on',
  TLS_PROBE_ADDRESS: tlsAddress,
  TLS_CA_FILE: caFile,
  // The story is not about the rate limit and must not wait for it.
  RUNCLOUD_RATE_PER_MINUTE: '600',
  SHUTDOWN_TIMEOUT: '3s',
  LOG_FORMAT: 'json',
  LOG_LEVEL: 'debug',
});

/** Takes every variable of ours out of this process, whose producers would read them. */
export function forgetUserSettings(): void {
  for (const name of entries.flatMap((entry) => [entry.name, ...entry.aliases])) delete process.env[name];
}
