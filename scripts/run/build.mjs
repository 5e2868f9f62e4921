// Compiles what the packages ship, each from nothing: no file of an earlier build stays.
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './install.mjs';

/** The compiler, below the project's folder. */
export const compiler = 'node_modules/typescript/bin/tsc';

/** `dist`: the folder. `projects`: what is compiled into it. `command`: made executable. */
const builds = {
  product: { dist: 'dist', projects: ['tsconfig.build.json'], command: 'cli/main.js' },
  client: {
    dist: 'packages/client/dist',
    projects: ['packages/client/tsconfig.json', 'packages/client/tsconfig.cjs.json'],
    kinds: { esm: 'module', cjs: 'commonjs' },
  },
  simulator: { dist: 'packages/simulator/dist', projects: ['packages/simulator'], command: 'main.js' },
};

async function buildOne(node, { dist, projects, command, kinds = {} }) {
  const folder = join(root, dist);
  rmSync(folder, { recursive: true, force: true });
  for (const project of projects) {
    const code = await node([compiler, '-p', project]);
    if (code !== 0) return code;
  }
  if (command) chmodSync(join(folder, command), 0o755);
  for (const [kind, type] of Object.entries(kinds))
    writeFileSync(join(folder, kind, 'package.json'), `{ "type": "${type}" }\n`);
  return 0;
}

/** Builds these, or all. `node(args)` runs Node in the project's folder. Resolves with the exit code. */
export async function build(node, ...names) {
  for (const name of names.length > 0 ? names : Object.keys(builds)) {
    const code = await buildOne(node, builds[name]);
    if (code !== 0) return code;
  }
  return 0;
}
