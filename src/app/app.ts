// The composition root: builds the parts from the configuration, and releases them last-in-first-out. Together with app/ the
// only place that knows them all. app/worker.ts and app/server.ts stand apart: who only enqueues or reads loads neither.

import type { Config } from '../config/load.ts';
import { examine, type Finding } from '../doctor/doctor.ts';
import { createDnsProbe } from '../probes/dns.ts';
import { createRedis, judgeRedis, readRedisFacts, untilReady } from '../redis/connection.ts';
import { createRunCloud } from '../runcloud/client.ts';
import { defaultsOf, redisOf, toRunCloudSettings } from './settings.ts';

export { createProducerApp, type ProducerApp } from './producer.ts';

/** The parts of `doctor`; works with whatever is configured. */
export function createDoctor(config: Config): {
  examine(scope: 'all' | 'redis'): AsyncGenerator<Finding>;
  close(): Promise<void>;
} {
  const redis = createRedis(redisOf(config), 'producer', () => undefined);
  const { credentials } = config.runcloud;
  const runcloud = credentials && createRunCloud(toRunCloudSettings(config, credentials));
  const token = credentials?.kind === 'token' ? credentials.token : undefined;
  const { zone } = createDnsProbe({ servers: config.dns.servers });
  const checkRedis = async () => {
    await untilReady(redis, 2000);
    return judgeRedis(await readRedisFacts(redis));
  };
  return {
    examine: (scope) => examine({ checkRedis, runcloud, token, app: defaultsOf(config), zone }, scope),
    async close() {
      runcloud?.close();
      redis.disconnect();
    },
  };
}
