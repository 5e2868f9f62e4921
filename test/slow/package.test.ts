// The product's package as its users get it: made of an unbuilt checkout, installed into empty projects, compiled, run and bundled.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { version } from '../../src/version.ts';
import {
  compile,
  createProject,
  type Folder,
  freshCheckout,
  installed,
  npm,
  type Packed,
  pack,
  root,
  runAsUser,
  shareModules,
  temporaryFolder,
} from './helpers/packages.ts';

const node = process.execPath;

interface Bom {
  readonly components: readonly { readonly name: string; readonly version: string }[];
}
interface Lock {
  readonly packages: Readonly<
    Record<string, { optional?: boolean; dependencies?: Readonly<Record<string, string>> }>
  >;
}

let folder: Folder;
let packed: Packed;
/** A project that has the package. */
let app: string;

// Asks for something wrong: what that says is known without a Redis.
const uses = (load: string): string => `${load}
const domains = createProducer({ redisUrl: 'redis://127.0.0.1:1', serverId: 1, appId: 2 });
domains.addDomain({ domain: 'not a name' }).then(
  () => { throw new Error('it was accepted'); },
  async (error) => {
    console.log(error instanceof DomainsError, error.code);
    await domains.close();
  },
);
`;
const esm = uses("import { createProducer, DomainsError } from 'runcloud-domains';");
const cjs = uses("const { createProducer, DomainsError } = require('runcloud-domains');");
const SAID = { code: 0, out: 'true invalid-domain\n', err: '' };

beforeAll(async () => {
  folder = temporaryFolder();
  const checkout = join(folder.path, 'checkout');
  await freshCheckout(checkout);
  shareModules(checkout);
  packed = await pack(checkout, folder.path);
  app = join(folder.path, 'app');
  await createProject(app, {}, [packed.tarball]);
});

/** One more project with what `app` has installed. */
async function createSibling(
  name: string,
  files: Readonly<Record<string, string>>,
  fields = {},
): Promise<string> {
  const path = join(folder.path, name);
  await createProject(path, files, [], fields);
  shareModules(path, app);
  return path;
}

afterAll(() => folder[Symbol.dispose]());

describe('the package that npm makes of an unbuilt checkout', () => {
  test('holds what is compiled, with the documents, and no source, test or secret', () => {
    expect(packed.files).toEqual(
      expect.arrayContaining([
        'dist/cli/main.js',
        'dist/index.js',
        'dist/index.d.ts',
        'README.md',
        'docs/reference/jobs.md',
        'LICENSE',
      ]),
    );
    const external = packed.files.filter((file) =>
      /^(src|test|scripts|packages|node_modules)\/|^\.env$|\.test\./.test(file),
    );
    expect(external).toEqual([]);
  });

  test('has no script for checkouts, of which npm would warn, and leaves the checkout as it was', () => {
    const scripts = (path: string) => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')).scripts;
    expect(scripts(join(app, 'node_modules/runcloud-domains'))).not.toHaveProperty('prepare');
    expect(scripts(join(folder.path, 'checkout'))).toEqual(scripts(root));
    expect(scripts(root)).toHaveProperty('prepare');
  });

  test('has a bill of materials: each package for production with its version, and nothing of the machine that made it', async () => {
    const text = readFileSync(join(app, 'node_modules/runcloud-domains/sbom.cdx.json'), 'utf8');
    const bom = JSON.parse(text) as Bom;
    expect(bom).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: expect.stringMatching(/^1\.\d$/),
      metadata: { component: { name: 'runcloud-domains', version } },
    });
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
    const listed = bom.components.map((component) => `${component.name}@${component.version}`);
    const direct = Object.entries(packages['']?.dependencies ?? {}).map(
      ([name, exact]) => `${name}@${exact}`,
    );
    expect(direct.filter((desired) => !listed.includes(desired))).toEqual([]);
    // What an installation brings here, and the variants of the same for other systems.
    const brought = (await installed(app)).packages.filter((name) => name !== 'runcloud-domains');
    const names = new Set(bom.components.map(({ name }) => name));
    expect(brought.filter((name) => !names.has(name))).toEqual([]);
    const isVariant = (name: string): boolean => packages[`node_modules/${name}`]?.optional === true;
    expect([...names].filter((name) => !brought.includes(name) && !isVariant(name))).toEqual([]);
    const others = /^(typescript|jest|@biomejs|@peculiar|node-forge|dns-packet|runcloud-simulator)/;
    expect(listed.filter((name) => others.test(name))).toEqual([]);
    expect(text).not.toMatch(/resolved|file:|\/tmp\/|\/home\//);
    expect(text.match(/https?:\/\/[^/"]+/g)).toEqual(['http://cyclonedx.org']);
  });

  test('is there too where it is installed by its git address', async () => {
    const checkout = join(folder.path, 'by-git');
    await freshCheckout(checkout);
    const project = join(folder.path, 'from-git');
    await createProject(project, {}, []);
    await npm(['install', '--no-save', `git+file://${checkout}`], project);
    const command = join(project, 'node_modules/.bin/runcloud-domains');
    expect(await runAsUser(node, [command, '--version'], project)).toEqual({
      code: 0,
      out: `${version}\n`,
      err: '',
    });
  });

  test('is not made without the compiler: it says so and fails, save where nothing is shipped', async () => {
    const checkout = join(folder.path, 'bare');
    await freshCheckout(checkout);
    const prepare = (env: NodeJS.ProcessEnv) => runAsUser(node, ['scripts/prepare.mjs'], checkout, env);
    expect(await prepare({ npm_command: 'install' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('the compiler is not there'),
    });
    for (const env of [{ npm_command: 'ci' }, { npm_config_omit: 'dev' }, { NODE_ENV: 'production' }])
      expect(await prepare(env)).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('installed', () => {
  test('its command runs', async () => {
    const command = join(app, 'node_modules/.bin/runcloud-domains');
    expect(await runAsUser(command, ['--version'], app)).toEqual({ code: 0, out: `${version}\n`, err: '' });
    expect(await runAsUser(command, ['--help'], app)).toMatchObject({
      code: 0,
      out: expect.stringContaining('worker'),
    });
  });

  test('a strict TypeScript project compiles against it, and what is wrong does not', async () => {
    const files = {
      'right.mts': `import { createProducer, type Receipt } from 'runcloud-domains';
const producer = createProducer({ serverId: 1, appId: 2 });
export const ask = (domain: string): Promise<Receipt> => producer.addDomain({ domain, www: 'auto' }, { bulk: true });
`,
      'right.cts': `import { createProducer } from 'runcloud-domains';
export const stop = (): Promise<void> => createProducer().close();
`,
      'wrong.mts': `import { createProducer } from 'runcloud-domains';
await createProducer().addDomain({ domain: 7, www: 'maybe' });
`,
    };
    const project = await createSibling('typed', files, { type: 'module' });
    expect(await compile(project, ['right.mts', 'right.cts'])).toEqual({ code: 0, out: '', err: '' });
    expect(await compile(project, ['wrong.mts'])).toMatchObject({
      code: 2,
      out: expect.stringMatching(/wrong\.mts.*TS2322/),
    });
  });

  test.each([
    ['an ES module', 'app.mjs', esm],
    ['a CommonJS module', 'app.cjs', cjs],
  ])('%s imports it', async (_, file, text) => {
    const project = await createSibling(file, { [file]: text });
    expect(await runAsUser(node, [file], project)).toEqual(SAID);
  });
});

describe('a bundle of it', () => {
  // bullmq is CommonJS, which asks for node's modules by `require`.
  const banner = {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  };
  test.each([
    ['cjs', 'out.cjs', esm, {}],
    ['esm', 'out.mjs', esm, { banner }],
  ] as const)('as %s runs on its own, away from the package', async (format, file, text, more) => {
    const elsewhere = join(folder.path, `bundle-${format}`);
    await createProject(elsewhere, {}, []);
    const outfile = join(elsewhere, file);
    const stdin = { contents: text, resolveDir: app };
    await build({
      stdin,
      outfile,
      format,
      bundle: true,
      platform: 'node',
      target: 'node24',
      logLevel: 'error',
      ...more,
    });
    expect(readFileSync(outfile, 'utf8')).not.toContain('../../package.json');
    expect(await runAsUser(node, [file], elsewhere)).toEqual(SAID);
  });
});
