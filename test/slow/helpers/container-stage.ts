// docker-compose.yml as an operator uses it, in a folder of its own: .env, the built image, and RunCloud, its DNS and its web server as
// a simulator in this process, at the address that containers have this machine by.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator, type EdgedSimulator } from '../../../packages/simulator/src/index.ts';
import { freePort } from '../../helpers/port.ts';
import { createCa } from '../../helpers/tls-server.ts';
import type { Engine } from './engine.ts';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
const API_HOST = 'runcloud.test';
const AUTHORITIES = '/authorities';
const MOUNT = `./authorities:${AUTHORITIES}:ro`;

export type Service = 'redis' | 'worker' | 'server';

/** What of `docker inspect` matters here. */
export interface Inspected {
  readonly Image: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: { readonly Status: string };
  };
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[];
    readonly SecurityOpt: readonly string[];
    readonly Init: boolean;
  };
}

export interface ContainerStage extends AsyncDisposable {
  readonly simulator: EdgedSimulator;
  /** Of the server, at this machine's loopback. */
  readonly url: string;
  /** From now on `worker` and `server` are of this image. */
  use(image: string): void;
  compose(...args: string[]): Promise<string>;
  container(service: Service): Promise<string>;
  inspect(service: Service): Promise<Inspected>;
  /** By a shell in the container, as its own user. */
  shell(service: Service, script: string): Promise<string>;
}

export interface StageOptions {
  readonly engine: Engine;
  /** Of `worker` and `server`. */
  readonly image: string;
  readonly redisImage: string;
  /** The entry of a token. */
  readonly apiTokens: string;
}

/** RunCloud's API is https beyond loopback. */
async function startHttps(target: string, host: string) {
  const ca = await createCa();
  const server = createServer(await ca.issue({ names: [API_HOST] }), (incoming, outgoing) => {
    const { method, url = '/', headers } = incoming;
    const onward = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  return { caPem: ca.certificate, url: `https://${API_HOST}:${port}/api/v3`, close };
}

function toEnv(simulator: EdgedSimulator, apiUrl: string, apiTokens: string, port: number): string {
  const { dnsAddress, tlsAddress } = simulator.edge;
  return Object.entries({
    RUNCLOUD_API_URL: apiUrl,
    RUNCLOUD_API_TOKEN: simulator.credentials.token,
    RUNCLOUD_SERVER_ID: '1903',
    RUNCLOUD_APP_ID: '646',
    RUNCLOUD_RATE_PER_MINUTE: '6000',
    RUNCLOUD_TIMEOUT: '10s',
    SSL_REDEPLOY_DELAY: '1s',
    DNS_SERVERS: dnsAddress,
    TLS_PROBE_ADDRESS: tlsAddress,
    TLS_CA_FILE: `${AUTHORITIES}/edge.pem`,
    API_TOKENS: apiTokens,
    API_RATE_PER_MINUTE: '1000000',
    SERVER_PORT: String(port),
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

export async function createContainerStage({
  engine,
  image: first,
  redisImage,
  apiTokens,
}: StageOptions): Promise<ContainerStage> {
  await using stack = new AsyncDisposableStack();
  const gateway = (
    await engine.docker('network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}')
  ).trim();
  const simulator = stack.use(
    await createSimulator({
      rateLimit: 0,
      edge: { host: gateway },
      defaultDns: 'server',
      seed: { servers: [{ ipAddress: '203.0.113.7' }] },
      variants: { validation: 'http-01' },
      issuanceLagMs: 100,
    }),
  );
  const api = await startHttps(simulator.url, gateway);
  stack.defer(api.close);
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'compose-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(join(root, 'docker-compose.yml'), join(folder, 'docker-compose.yml'));
  writeFileSync(join(folder, '.env'), toEnv(simulator, api.url, apiTokens, port));
  mkdirSync(join(folder, 'authorities'));
  writeFileSync(join(folder, 'authorities/edge.pem'), simulator.edge.caPem);
  writeFileSync(join(folder, 'authorities/api.pem'), api.caPem);

  const files = ['--file', 'docker-compose.yml', '--file', 'override.json'];
  const compose = (...args: string[]): Promise<string> =>
    engine.compose(folder, '--project-name', 'slow-test', ...files, ...args);
  const container = async (service: Service): Promise<string> =>
    (await compose('ps', '--quiet', service)).trim();
  // Before the folder goes: it needs the files.
  stack.defer(async () => void (await compose('down', '--volumes', '--timeout', '0')));
  const use = (image: string): void =>
    writeFileSync(join(folder, 'override.json'), JSON.stringify(toOverride(image, redisImage, gateway)));
  use(first);
  const releases = stack.move();
  return {
    simulator,
    url: `http://127.0.0.1:${port}`,
    use,
    compose,
    container,
    async inspect(service) {
      const [found] = JSON.parse(await engine.docker('inspect', await container(service))) as Inspected[];
      if (!found) throw new Error(`there is no container of ${service}`);
      return found;
    },
    shell: async (service, script) => engine.docker('exec', await container(service), 'sh', '-c', script),
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

/** YAML takes JSON. */
const toOverride = (image: string, redisImage: string, gateway: string, volumes = [MOUNT]) => ({
  services: {
    redis: { image: redisImage },
    // Both read the same .env, which names an authority's file.
    server: { image, volumes },
    worker: {
      image,
      volumes,
      extra_hosts: [`${API_HOST}:${gateway}`],
      environment: { NODE_EXTRA_CA_CERTS: `${AUTHORITIES}/api.pem` },
    },
  },
});
