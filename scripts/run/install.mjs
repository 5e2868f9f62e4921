// Brings a folder's node_modules in line with its package-lock.json by `npm ci`, when it is not.
// A finished install is known by a stamp, or by npm's own record of what it has put there.
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { run } from './child.mjs';
import { withLock } from './lock.mjs';
import { Refusal, root, say } from './project.mjs';

const stampOf = (folder) => join(folder, 'node_modules/.fits-package-lock');
const recordOf = (folder) => join(folder, 'node_modules/.package-lock.json');

function wantedStamp(folder) {
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function isWantedHere({ optional, os, cpu, libc }) {
  if (!optional) return true;
  const fits = (list, value) => !list || [list].flat().includes(value);
  return Boolean(os ?? cpu) && !libc && fits(os, process.platform) && fits(cpu, process.arch);
}

/** Whether npm's record (written at the very end of an install) has what the lock asks for. */
export function recordFits(lock, record) {
  const { '': _project, ...wanted } = lock.packages;
  const same = (path) => record.packages[path]?.integrity === wanted[path]?.integrity;
  return (
    Object.keys(record.packages).every((path) => path in wanted && same(path)) &&
    Object.entries(wanted).every(([path, entry]) => path in record.packages || !isWantedHere(entry))
  );
}

function writeStamp(folder) {
  try {
    const draft = `${stampOf(folder)}.${process.pid}`;
    writeFileSync(draft, wantedStamp(folder));
    renameSync(draft, stampOf(folder));
  } catch {
    // A checkout that we may only read: the comparison is made again the next time.
  }
}

/** True when nothing has to be installed in this folder. */
export function isInstalled(folder) {
  if (readOr(stampOf(folder), '') === wantedStamp(folder)) return true;
  const record = readOr(recordOf(folder), undefined);
  if (
    !record ||
    !recordFits(JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')), JSON.parse(record))
  )
    return false;
  writeStamp(folder);
  return true;
}

/** npm as it was called, under the Node that it belongs to (a distribution's npm runs under no other). */
function npmCommand(env) {
  const script = env.npm_execpath ?? '';
  if (basename(script) !== 'npm-cli.js' || !existsSync(script)) return ['npm'];
  return [env.npm_node_execpath ?? process.execPath, script];
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch (error) {
    return error.code === 'ENOENT' && path !== dirname(path) && isWritable(dirname(path));
  }
}

/** npm needs a cache that it can write; a read-only home gets one inside the checkout. */
function cacheArguments(env) {
  const cache = env.npm_config_cache ?? join(homedir(), '.npm');
  return isWritable(cache) ? [] : ['--cache', join(root, '.cache/npm')];
}

/** Whatever the caller's own settings are: everything that the lock names, no install scripts, errors shown. */
function ciArguments(folder, env) {
  const set = ['--include=dev', '--include=optional', '--ignore-scripts', '--engine-strict=false'];
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier'];
  const network = ['--prefer-offline', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
  return ['ci', '--prefix', folder, ...set, ...quiet, ...network, ...cacheArguments(env)];
}

async function npmCi(folder, onStart) {
  const [command, ...first] = npmCommand(process.env);
  const { npm_config_local_prefix: _outer, npm_config_dry_run: _dry, ...env } = process.env;
  const args = [...first, ...ciArguments(folder, env)];
  try {
    return await run(command, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'inherit'], onStart });
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new Refusal(`\`${command}\` is not there; install npm and run this again.`);
    throw error;
  }
}

function failure(folder, what, code) {
  if (code === 130 || code === 143)
    return new Refusal('interrupted; the next run starts the installation anew.', code);
  const where = relative(root, folder) || '.';
  return new Refusal(
    `could not install ${what}: npm's own words stand above. Without a network, or behind a proxy, put that ` +
      `right first; then run the same command again, or \`npm ci --prefix ${where}\` to see more.`,
  );
}

async function install(folder, what, onStart) {
  const startedAt = performance.now();
  say(`installing ${what} ...`);
  for (const path of [stampOf(folder), recordOf(folder)]) rmSync(path, { force: true });
  const code = await npmCi(folder, onStart);
  if (code !== 0) throw failure(folder, what, code);
  writeStamp(folder);
  say(`installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}

function lockFolder() {
  const folder = join(root, '.cache');
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch {
    throw new Refusal(
      `may not write to ${root}, where packages have to be installed; clone it as this user.`,
    );
  }
}

/** Installs only when needed, one at a time per checkout. Resolves with true if it did install. */
export async function ensureInstalled(folder, { what, isUsable = () => true }) {
  const fits = () => isInstalled(folder) && isUsable();
  if (fits()) return false;
  return withLock(join(lockFolder(), 'install.lock'), async (recordPid) => {
    if (fits()) return false;
    await install(folder, what, (child) => recordPid(child.pid));
    return true;
  });
}

export function ensureDependencies() {
  return ensureInstalled(root, { what: "the project's packages (npm ci; once, and when they change)" });
}
