// `runcloud-domains-client` as its users get it: what is installed and how much, its types, and that it works with the Node.js of app
// servers (20) and of today, from ES modules and CommonJS, over HTTP against our server and through a real queue to a worker.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { API_TOKENS, startServer, type TestServer, tokens } from '../helpers/http-server.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';
import {
  compile,
  createProject,
  type Folder,
  findNode,
  freshCheckout,
  installed,
  pack,
  root,
  runAsUser,
  shareModules,
  temporaryFolder,
} from './helpers/packages.ts';
import { testUnless } from './helpers/requirement.ts';

const MB = 1024 * 1024;
const manifest = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest;
interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}
const { dependencies = {} } = manifest('package.json');
const { peerDependencies = {} } = manifest('packages/client/package.json');
/** What the queue needs, as the product has it. */
const QUEUE_PACKAGES = Object.keys(peerDependencies).map((name) => `${name}@${dependencies[name]}`);

let folder: Folder;
let stage: Stage;
let server: TestServer;
/** Projects with the client alone, and with what its queue needs besides. */
const projects = { http: '', queue: '' };

beforeAll(async () => {
  folder = temporaryFolder();
  const checkout = join(folder.path, 'checkout');
  await freshCheckout(checkout);
  shareModules(checkout);
  const { tarball } = await pack(checkout, folder.path, 'packages/client');
  for (const kind of ['http', 'queue'] as const) projects[kind] = join(folder.path, kind);
  await createProject(projects.http, {}, [tarball]);
  await createProject(projects.queue, {}, [tarball, ...QUEUE_PACKAGES]);
  stage = await createStage({ env: { API_TOKENS } });
  server = await startServer(stage.env);
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

async function sibling(
  of: 'http' | 'queue',
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const path = join(folder.path, name);
  await createProject(path, files, []);
  shareModules(path, projects[of]);
  return path;
}

test('over HTTP it is one package of less than 1 MB', async () => {
  const { packages, bytes } = await installed(projects.http);
  expect(packages).toEqual(['runcloud-domains-client']);
  expect(bytes).toBeLessThan(1 * MB);
});

test('through the queue it brings no server, board or tracing', async () => {
  const { packages, bytes } = await installed(projects.queue);
  expect(packages).toEqual(
    expect.arrayContaining(['bullmq', 'ioredis', 'tldts', 'zod', 'runcloud-domains-client']),
  );
  expect(
    packages.filter((name) => /fastify|bull-board|opentelemetry|prom-client|pino|got|commander/.test(name)),
  ).toEqual([]);
  expect(bytes).toBeLessThan(40 * MB);
});

test('it imports no other package than it names, in the versions of the product', () => {
  const dist = join(projects.http, 'node_modules/runcloud-domains-client/dist/esm');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.js'),
  );
  const imports = files.flatMap((file) =>
    [...readFileSync(join(dist, file), 'utf8').matchAll(/ from '([^.'][^']*)';$/gm)].map(([, name]) => name),
  );
  const packages = [...new Set(imports)].filter((name) => !name?.startsWith('node:')).sort();
  expect(packages).toEqual(Object.keys(peerDependencies).sort());
  for (const [name, range] of Object.entries(peerDependencies)) expect(range).toBe(`^${dependencies[name]}`);
});

describe('its types', () => {
  const right = (load: string) => `${load}
const payload: AddDomainPayload = { domain: 'a.example.org', www: 'auto', siteId: 7 };
export async function add(domains: DomainsClient): Promise<Receipt | string> {
  try {
    return await domains.addDomain(payload, { bulk: true });
  } catch (error) {
    if (error instanceof DomainsError && error.code === 'invalid-domain') return error.message;
    throw error;
  }
}
`;
  const http = `import { createHttpClient, DomainsError, type AddDomainPayload, type DomainsClient, type Receipt } from 'runcloud-domains-client';
export const client = createHttpClient({ url: 'http://127.0.0.1', token: 't' });
export const state = async (): Promise<string> => (await client.getDomain('a.example.org')).state;
`;
  const queue = `import { createQueueClient, DomainsError, type AddDomainPayload, type DomainsClient, type Receipt } from 'runcloud-domains-client/queue';
export const client: DomainsClient = createQueueClient({ serverId: 1, appId: 2 });
`;
  const wrong = `import { createHttpClient } from 'runcloud-domains-client';
const client = createHttpClient({ url: 'http://127.0.0.1' });
void client.addDomain({ domain: 7 });
void client.addDomain({ domain: 'a.example.org', www: 'maybe' });
`;

  test.each([
    ['http', 'mts', http],
    ['http', 'cts', http],
    ['queue', 'mts', queue],
    ['queue', 'cts', queue],
  ] as const)('of %s fit a strict .%s file', async (kind, extension, load) => {
    const path = await sibling(kind, `types-${kind}-${extension}`, { [`app.${extension}`]: right(load) });
    // ioredis' own declarations ask for those of Node; HTTP asks for none.
    expect(await compile(path, [`app.${extension}`], kind === 'queue' ? ['node'] : [])).toEqual({
      code: 0,
      out: '',
      err: '',
    });
  });

  test('refuse what is wrong', async () => {
    const path = await sibling('http', 'types-wrong', { 'app.mts': wrong });
    const { code, out } = await compile(path, ['app.mts']);
    expect({ code, errors: out.match(/TS2322/g)?.length }).toEqual({ code: 2, errors: 2 });
  });
});

const makers = {
  http: 'createHttpClient({ url: process.env.URL, token: process.env.TOKEN })',
  queue:
    "createQueueClient({ redisUrl: process.env.URL, queuePrefix: process.env.PREFIX, serverId: 1903, appId: 646, topLevelDomains: 'test' })",
};
const maker = { http: 'createHttpClient', queue: 'createQueueClient' };
const entry = { http: 'runcloud-domains-client', queue: 'runcloud-domains-client/queue' };

/** Asks for a domain, for something wrong, and for many; prints what came of it; ends by itself. */
const program = (kind: 'http' | 'queue', format: 'mjs' | 'cjs') => `${
  format === 'mjs'
    ? `import { ${maker[kind]}, DomainsError } from '${entry[kind]}';`
    : `const { ${maker[kind]}, DomainsError } = require('${entry[kind]}');`
}
async function main() {
  const domains = ${makers[kind]};
  const again = async (work, tries = 30) =>
    work().catch((error) => (error.code === 'redis-unavailable' && tries > 0 ? again(work, tries - 1) : Promise.reject(error)));
  const { domain } = await again(() => domains.addDomain({ domain: process.argv[2] }));
  const refusal = await domains.addDomain({ domain: 'not a name' }).catch((error) => error);
  const many = await again(async () => {
    const found = await domains.addDomains([{ domain: process.argv[2] }, { domain: 'a_b.example.org' }]);
    for (const { error } of found) if (error?.code === 'redis-unavailable') throw error;
    return found;
  });
  await domains.close();
  console.log(JSON.stringify([domain, refusal instanceof DomainsError, refusal.code, many.map(({ accepted }) => accepted)]));
}
main().catch((error) => { console.error(error); process.exitCode = 1; });
`;

const envOf = (kind: 'http' | 'queue'): Record<string, string> =>
  kind === 'http'
    ? { URL: server.url, TOKEN: tokens.enqueue.token }
    : { URL: stage.config.redisUrl, PREFIX: stage.config.queuePrefix };

async function expectWorks(
  kind: 'http' | 'queue',
  node: string,
  file: string,
  path: string,
  domain: string,
): Promise<void> {
  const { code, out, err } = await runAsUser(node, [file, domain], path, envOf(kind));
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out)).toEqual([domain, true, 'invalid-domain', [true, false]]);
  await until(() => stage.names().includes(domain), `${domain} is attached`);
}

const nodes = [
  [20, await findNode(20)],
  [24, await findNode(24)],
] as const;

describe.each(nodes)('with Node.js %i', (major, node) => {
  const lack = node === undefined ? `the client with Node.js ${major}: there is none on PATH` : undefined;
  testUnless(lack).each([
    ['http', 'mjs'],
    ['http', 'cjs'],
    ['queue', 'mjs'],
    ['queue', 'cjs'],
  ] as const)('over %s, from a .%s file, a domain is asked for and attached', async (kind, format) => {
    const path = await sibling(kind, `run-${kind}-${format}-${major}`, {
      [`app.${format}`]: program(kind, format),
    });
    await expectWorks(
      kind,
      node ?? `no Node.js ${major}`,
      `app.${format}`,
      path,
      `${format}${major}.${kind}.example.org`,
    );
  });
});

describe('a bundle', () => {
  const banner = {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  };
  test.each([
    ['http', 'esm', 'mjs', {}],
    ['http', 'cjs', 'cjs', {}],
    ['queue', 'esm', 'mjs', { banner }],
    ['queue', 'cjs', 'cjs', {}],
  ] as const)('over %s as %s runs on its own', async (kind, format, extension, more) => {
    const path = join(folder.path, `bundle-${kind}-${format}`);
    await createProject(path, {}, []);
    const outfile = join(path, `out.${extension}`);
    const stdin = { contents: program(kind, 'mjs'), resolveDir: projects[kind] };
    await build({
      stdin,
      outfile,
      format,
      bundle: true,
      platform: 'node',
      target: 'node20',
      logLevel: 'error',
      ...more,
    });
    const node = nodes[0][1] ?? process.execPath;
    await expectWorks(kind, node, `out.${extension}`, path, `${format}.bundle-${kind}.example.org`);
  });
});
