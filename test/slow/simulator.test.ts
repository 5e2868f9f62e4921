// `runcloud-simulator` as its users get it: packed, installed into an empty project, compiled against, run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { version } from '../../src/version.ts';
import {
  compile,
  createProject,
  type Folder,
  freshCheckout,
  installed,
  pack,
  root,
  runAsUser,
  shareModules,
  temporaryFolder,
} from './helpers/packages.ts';

const node = process.execPath;
const script = `import { createSimulator } from 'runcloud-simulator';
const simulator = await createSimulator({ edge: true });
const { status } = await fetch(simulator.url + '/_simulator/edge');
console.log(status, simulator.edge.caPem.split('\\n')[0]);
await simulator.close();
`;

let folder: Folder;
let app: string;

beforeAll(async () => {
  folder = temporaryFolder();
  const checkout = join(folder.path, 'checkout');
  await freshCheckout(checkout);
  shareModules(checkout);
  const { tarball, files } = await pack(checkout, folder.path, 'packages/simulator');
  expect(files.filter((file) => !/^(dist\/|package\.json$|README\.md$|LICENSE$)/.test(file))).toEqual([]);
  app = join(folder.path, 'app');
  const typed = script.replace('edge: true', "edge: true, variants: { metaShape: 'round' }");
  await createProject(app, { 'app.mjs': script, 'right.mts': script, 'wrong.mts': typed }, [tarball]);
});

afterAll(() => folder[Symbol.dispose]());

test('it brings the packages that it names, in the versions of this checkout, and not the product', async () => {
  const { packages } = await installed(app);
  const manifest = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const { dependencies } = manifest('packages/simulator/package.json');
  const { dependencies: product, devDependencies } = manifest('package.json');
  expect(packages).toEqual(expect.arrayContaining(Object.keys(dependencies)));
  expect({ ...devDependencies, ...product }).toMatchObject(dependencies);
  expect(packages).not.toContain('runcloud-domains');
});

test('its command runs', async () => {
  const command = join(app, 'node_modules/.bin/runcloud-simulator');
  expect(await runAsUser(command, ['--version'], app)).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test('an ES module starts one', async () => {
  expect(await runAsUser(node, ['app.mjs'], app)).toEqual({
    code: 0,
    out: '200 -----BEGIN CERTIFICATE-----\n',
    err: '',
  });
});

test('a strict TypeScript project compiles against it, and an unknown value does not', async () => {
  expect(await compile(app, ['right.mts'], ['node'])).toEqual({ code: 0, out: '', err: '' });
  expect(await compile(app, ['wrong.mts'], ['node'])).toMatchObject({
    code: 2,
    out: expect.stringContaining('laravel'),
  });
});
