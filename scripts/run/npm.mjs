// Calls npm so that it does the same for everybody, whatever npm, settings and home they have.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { run } from './child.mjs';
import { Refusal, root } from './project.mjs';

function realPath(path) {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** npm's own script: of the npm that has called us, else of the one on PATH. */
function npmScript(env) {
  const onPath = (env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'npm'));
  return [env.npm_execpath, ...onPath]
    .map((path) => path && realPath(path))
    .find((path) => path?.endsWith('npm-cli.js'));
}

/**
 * npm runs under `node`, unless it is a distribution's, whose parts only that distribution's own Node can find.
 * A version manager may have a program of its own called npm, which is then called as it is.
 */
function npmCommand(env, node) {
  const script = npmScript(env);
  if (!script) return ['npm'];
  const isComplete = existsSync(join(dirname(script), '../node_modules/@npmcli/arborist'));
  return [isComplete ? node : (env.npm_node_execpath ?? process.execPath), script];
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

/** Everything that the lock names, no install scripts (all can be done without), errors shown. */
function ciArguments(folder, env) {
  const set = ['--include=dev', '--include=optional', '--ignore-scripts', '--engine-strict=false'];
  const quiet = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier'];
  const network = ['--prefer-offline', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000'];
  return ['ci', '--prefix', folder, ...set, ...quiet, ...network, ...cacheArguments(env)];
}

/** What an outer `npm run` or `npm pack` says about itself, which must not be taken for a setting of this one. */
const ofOuter = /^npm_config_(local_prefix|dry_run|workspaces?|json|omit|include|pack_destination)$/;

const ownEnv = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofOuter.test(name)));

/** What npm prints, and how it ends, for a question about this project. `node` runs it. */
export function askNpm(args, node) {
  const env = ownEnv();
  const [command, ...first] = npmCommand(env, node);
  const options = { cwd: root, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 };
  const { status, stdout, stderr, error } = spawnSync(
    command,
    [...first, ...args, ...cacheArguments(env)],
    options,
  );
  if (error)
    throw new Refusal(
      `\`${command}\` does not run (${error.message}): install npm and run the same command again.`,
    );
  return { code: status, out: stdout, err: stderr };
}

/** Resolves with npm's exit code; its errors go to stderr. `onStart(child)` gets the running npm. */
export async function npmCi(folder, node, onStart) {
  const env = ownEnv();
  const [command, ...first] = npmCommand(env, node);
  const stdio = ['ignore', 'ignore', 'inherit'];
  try {
    return await run(command, [...first, ...ciArguments(folder, env)], { cwd: folder, env, stdio, onStart });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new Refusal(`\`${command}\` is not there: install npm and run the same command again.`);
  }
}
