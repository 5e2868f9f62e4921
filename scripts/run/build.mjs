// Compiles what the packages ship into dist/, from nothing: no file of an earlier build is left in it.
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './project.mjs';

/** The compiler, below the project's folder. */
export const compiler = 'node_modules/typescript/bin/tsc';

/** `node(args)` runs Node in the project's folder and resolves with the exit code, as this does. */
export async function build(node) {
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const code = await node([compiler, '-p', 'tsconfig.build.json']);
  if (code === 0) chmodSync(join(root, 'dist/cli/main.js'), 0o755);
  return code;
}

const clientFolder = 'packages/client';
const clientKinds = { esm: ['tsconfig.json', 'module'], cjs: ['tsconfig.cjs.json', 'commonjs'] };

/** Compiles packages/client of src/client and what it needs: once as ES modules, once as CommonJS. */
export async function buildClient(node) {
  rmSync(join(root, clientFolder, 'dist'), { recursive: true, force: true });
  for (const [kind, [config, type]] of Object.entries(clientKinds)) {
    const code = await node([compiler, '-p', `${clientFolder}/${config}`]);
    if (code !== 0) return code;
    writeFileSync(join(root, clientFolder, 'dist', kind, 'package.json'), `{ "type": "${type}" }\n`);
  }
  return 0;
}

/** Compiles packages/simulator. */
export async function buildSimulator(node) {
  const dist = join(root, 'packages/simulator/dist');
  rmSync(dist, { recursive: true, force: true });
  const code = await node([compiler, '-p', 'packages/simulator']);
  if (code === 0) chmodSync(join(dist, 'main.js'), 0o755);
  return code;
}

/** What package.json points to: without one of them the package is of no use. */
const needed = ['cli/main.js', 'index.js', 'index.d.ts'];

export const isBuilt = () => needed.every((file) => existsSync(join(root, 'dist', file)));
