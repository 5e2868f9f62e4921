// The targets of scripts/run.mjs and how each is started under the pinned Node.
// Plain JavaScript without dependencies: it runs before anything is installed.

import { join } from 'node:path';
import { audit } from './audit.mjs';
import { build, buildClient, buildSimulator, compiler } from './build.mjs';
import { check, checkSlow } from './check.mjs';
import { dieWithParent, run } from './child.mjs';
import { hidePrepare, restorePrepare } from './hide-prepare.mjs';
import { ensureInstalled } from './install.mjs';
import { ensureNode, withNodeFirst } from './node.mjs';
import { Refusal, root, say } from './project.mjs';
import { writeSbom } from './sbom.mjs';

const bin = {
  tsc: compiler,
  biome: 'node_modules/@biomejs/biome/bin/biome',
  jest: 'node_modules/jest/bin/jest.js',
};

/** The flags jest needs to load ESM; its own workers inherit them, programs that tests start do not. */
const jestFlags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];

/** PM2 by its own lock file: `npm ci` of the project stays light, and PM2 runs under a Node.js that the server can share a port by. */
async function pm2(tools, args) {
  const folder = join(root, 'tools/pm2');
  await ensureInstalled(folder, { what: 'PM2', note: 'npm ci in tools/pm2; once', node: process.execPath });
  return tools.node([join(folder, 'node_modules/pm2/bin/pm2'), ...args]);
}

const targets = {
  demo: (tools, args) => tools.node(['demo/demo.ts', ...args]),
  cli: ({ node }, [name, ...args]) =>
    // The product has no such command: the simulator is a package of its own.
    node(
      name === 'simulate'
        ? ['packages/simulator/src/main.ts', ...args]
        : ['src/cli/main.ts', ...(name ? [name, ...args] : [])],
    ),
  docs: (tools, args) => tools.node(['scripts/generate-docs.ts', ...args]),
  jest: (tools, args) => tools.jest(args),
  histories: (tools, args) => tools.node(['scripts/histories.ts', ...args]),
  bench: (tools, args) => tools.node(['bench/api.ts', ...args]),
  soak: (tools, args) => tools.node(['scripts/soak.ts', ...args]),
  format: (tools, args) => tools.node([bin.biome, 'check', '--write', ...(args.length > 0 ? args : ['.'])]),
  build: (tools) => build(tools.node),
  package: async (tools) => (await build(tools.node)) || writeSbom(tools.path) || hidePrepare(),
  packaged: () => restorePrepare(),
  audit: (tools) => audit(tools.path),
  'build-client': (tools) => buildClient(tools.node),
  'build-simulator': (tools) => buildSimulator(tools.node),
  pm2: (tools, args) => pm2(tools, args),
  check: (tools, args) => check(tools, args),
  slow: (tools, args) => checkSlow(tools, args),
};

function createTools(node) {
  const env = withNodeFirst(process.env, node);
  const runNode = (args, options = {}) =>
    run(node, [...dieWithParent, ...args], { cwd: root, env, ...options });
  return {
    path: node,
    node: runNode,
    lint: () => runNode([bin.biome, 'ci', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`, '.']),
    typecheck: () => runNode([bin.tsc, '-p', 'tsconfig.json']),
    // The client's compiler knows less of Node than the product's: what it cannot have shows here.
    build: async () => (await build(runNode)) || (await buildClient(runNode)) || buildSimulator(runNode),
    jest: (args, options = {}) =>
      runNode([...jestFlags, bin.jest, ...args], { ...options, env: { ...env, ...options.env } }),
  };
}

async function dispatch([name, ...args]) {
  const target = Object.hasOwn(targets, name ?? '') ? targets[name] : undefined;
  if (!target) {
    throw new Refusal(`usage: node scripts/run.mjs <${Object.keys(targets).join('|')}> [args...]`, 2);
  }
  const node = await ensureNode();
  await ensureInstalled(root, {
    what: "the project's packages",
    note: 'npm ci; once, and when they change',
    node,
  });
  return target(createTools(node), args);
}

/** Runs a target and ends this process with its exit code; `check` and `slow` always end with their summary line. */
export async function main(argv) {
  try {
    process.exitCode = await dispatch(argv);
  } catch (error) {
    say(error instanceof Refusal ? error.message : error.stack);
    process.exitCode = error instanceof Refusal ? error.exitCode : 1;
    if (['check', 'slow'].includes(argv[0])) process.stdout.write('0 passed, 1 failed\n');
  }
}
