// Installs what a fresh checkout lacks: its packages, and Node.js 24 on a Linux that has an older one.
// Never touches the system's own Node.js.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** One line on stderr: stdout belongs to the program that runs. */
export const say = (line) => process.stderr.write(`runcloud-domains: ${line}\n`);

/** A reason to stop that a person can act on. It is printed without a stack. */
export class Refusal extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

const REQUIRED_MAJOR = 24;

/** Resolves with the path of a Node.js 24 or newer. */
export async function ensureNode() {
  const { version, platform, arch, execPath } = process;
  if (Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR) return execPath;
  const node = join(root, `tools/node/node_modules/node-linux-${arch}/bin/node`);
  if (platform === 'linux' && ['x64', 'arm64'].includes(arch))
    await ensureInstalled(
      join(root, 'tools/node'),
      `Node.js ${REQUIRED_MAJOR} for this project alone (this is ${version}; about 190 MB, once)`,
    );
  if (spawnSync(node, ['--version']).status === 0) return node;
  throw new Refusal(
    `this project needs Node.js ${REQUIRED_MAJOR}, and this is ${version} on ${platform}-${arch}. ` +
      `Install it, for example with \`nvm install ${REQUIRED_MAJOR}\`, and run the same command again.`,
  );
}

/** Whether npm has installed what the lock names. npm writes its record at the very end. */
export function fits(lock, record) {
  const { '': _project, ...named } = lock.packages;
  return (
    Object.entries(record.packages).every(([path, { integrity }]) => named[path]?.integrity === integrity) &&
    Object.entries(named).every(([path, { optional }]) => optional || path in record.packages)
  );
}

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

function isInstalled(folder) {
  try {
    return fits(readJson(folder, 'package-lock.json'), readJson(folder, 'node_modules/.package-lock.json'));
  } catch {
    return false;
  }
}

/** Runs `npm ci` in this folder if needed, one command at a time. `what` is for the user. */
export async function ensureInstalled(folder, what) {
  if (isInstalled(folder)) return;
  await withLock(join(root, '.cache/install.lock'), async () => {
    if (isInstalled(folder)) return;
    say(`installing ${what} ...`);
    const code = await npmCi(folder);
    if (code > 128) throw new Refusal('interrupted. Run the same command again.', code);
    if (code === 0 && isInstalled(folder)) return;
    throw new Refusal(
      `could not install ${what}; npm's error is printed above. It needs the network and, if there is ` +
        'one, the settings of the proxy. Then run the same command again.',
    );
  });
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
};

/** One after the other: the file names the process that works. A file of a process that has ended is removed. */
export async function withLock(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let isFirst = true; ; isFirst = false) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw new Refusal(`cannot write to ${dirname(path)}: ${error.message}`);
    }
    const pid = Number(readFileSync(path, { encoding: 'utf8', flag: 'a+' }));
    if (pid > 0 && !isAlive(pid)) rmSync(path, { force: true });
    else if (isFirst) say(`another command installs here (process ${pid}); waiting for it ...`);
    await sleep(200);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** What an outer `npm run` or `npm pack` says about itself is no setting of this npm. */
const ofOuter = /^npm_config_(local_prefix|dry_run|workspaces?|json|omit|include|pack_destination)$/;

export const npmEnv = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofOuter.test(name)));

/** The npm that has started this program, under its own Node (Debian's npm runs under no other), or that of PATH. */
export function npmCommand() {
  const { npm_execpath: script = '', npm_node_execpath: node } = process.env;
  return node && script.endsWith('npm-cli.js') ? [node, script] : ['npm'];
}

/** npm needs a cache that it can write: with a read-only home it is in the checkout. */
function cacheArguments() {
  try {
    if (process.env.npm_config_cache === undefined) accessSync(homedir(), constants.W_OK);
    return [];
  } catch {
    return ['--cache', join(root, '.cache/npm')];
  }
}

/** Resolves with npm's exit code. Install scripts are not run: no package needs its own. */
async function npmCi(folder) {
  const options = ['--include=dev', '--include=optional', '--ignore-scripts', '--engine-strict=false'];
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline'];
  try {
    const [command, ...first] = npmCommand();
    const args = [...first, 'ci', '--prefix', folder, ...options, ...quiet, ...cacheArguments()];
    return await run(command, args, {
      cwd: folder,
      env: npmEnv(),
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } catch (error) {
    throw new Refusal(`npm does not run (${error.message}). Install npm and run the same command again.`);
  }
}
