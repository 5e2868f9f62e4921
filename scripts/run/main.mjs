// The targets of scripts/run.mjs. Plain JavaScript without packages: it runs before anything is installed.
import { delimiter, dirname, join } from 'node:path';
import { build, compiler } from './build.mjs';
import { check, checkSlow } from './check.mjs';
import { dieWithParent, run } from './child.mjs';
import { ensureInstalled, ensureNode, Refusal, root, say } from './install.mjs';
import { audit, writeSbom } from './supply-chain.mjs';

const biome = 'node_modules/@biomejs/biome/bin/biome';
/** Jest loads ES modules by these flags. Its own workers inherit them, programs that tests start do not. */
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** PM2 has its own lock file, so that `npm ci` of the project stays small. */
async function pm2(node, args) {
  const folder = join(root, 'tools/pm2');
  await ensureInstalled(folder, 'PM2 (npm ci in tools/pm2; once)');
  return node([join(folder, 'node_modules/pm2/bin/pm2'), ...args]);
}

/** Each gets `node(args, options)`, which runs the pinned Node.js, and the arguments. Returns the exit code. */
const targets = {
  demo: (node, args) => node(['demo/demo.ts', ...args]),
  // The product has no command `simulate`: the simulator is a package of its own.
  cli: (node, [name, ...args]) =>
    name === 'simulate'
      ? node(['packages/simulator/src/main.ts', ...args])
      : node(['src/cli/main.ts', ...(name === undefined ? [] : [name, ...args])]),
  docs: (node, args) => node(['scripts/generate-docs.ts', ...args]),
  histories: (node, args) => node(['scripts/histories.ts', ...args]),
  soak: (node, args) => node(['scripts/soak.ts', ...args]),
  bench: (node, args) => node(['bench/api.ts', ...args]),
  jest: (node, args) => node([...jest, ...args]),
  format: (node, args) => node([biome, 'check', '--write', ...(args.length > 0 ? args : ['.'])]),
  build: (node, names) => build(node, ...names),
  package: async (node) => (await build(node, 'product')) || writeSbom(),
  audit: () => audit(),
  pm2,
  check: (node, args) => check(toStages(node), args),
  slow: (node, args) => checkSlow(toStages(node), args),
};

function toStages(node) {
  const colors = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`;
  return {
    lint: () => node([biome, 'ci', colors, '.']),
    typecheck: () => node([compiler, '-p', 'tsconfig.json']),
    build: () => build(node),
    jest: (args, onStart) => node([...jest, ...args], { onStart }),
  };
}

/** Runs this Node.js in the project's folder. `node` means this one for all that it starts in turn. */
function createNode(path) {
  const env = { ...process.env, PATH: [dirname(path), process.env.PATH].filter(Boolean).join(delimiter) };
  return (args, options) => run(path, [...dieWithParent, ...args], { cwd: root, env, ...options });
}

async function dispatch([name, ...args]) {
  const target = Object.hasOwn(targets, name ?? '') ? targets[name] : undefined;
  if (!target)
    throw new Refusal(`usage: node scripts/run.mjs <${Object.keys(targets).join('|')}> [args...]`, 2);
  const node = await ensureNode();
  await ensureInstalled(root, "the project's packages (npm ci; once, and when they change)");
  return target(createNode(node), args);
}

/** Runs a target and ends with its exit code. `check` and `slow` always print their summary line. */
export async function main(argv) {
  try {
    process.exitCode = await dispatch(argv);
  } catch (error) {
    say(error instanceof Refusal ? error.message : error.stack);
    process.exitCode = error instanceof Refusal ? error.exitCode : 1;
    if (['check', 'slow'].includes(argv[0])) process.stdout.write('0 passed, 1 failed\n');
  }
}
