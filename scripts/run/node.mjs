// Finds or installs the Node.js that this project pins (24); never touches the system's own.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run } from './child.mjs';
import { ensureInstalled, isInstalled, ownLibc } from './install.mjs';
import { Refusal, root, say } from './project.mjs';

const requiredMajor = 24;
const homebrewNodes = ['/opt/homebrew', '/usr/local'].map(
  (base) => `${base}/opt/node@${requiredMajor}/bin/node`,
);

function refusal(detail) {
  const here = `this is ${process.version} on ${process.platform}-${process.arch}`;
  return new Refusal(
    `this project needs Node.js ${requiredMajor} or newer and ${here}${detail}; ` +
      `install it, for example with \`nvm install ${requiredMajor}\`, and run the same command again.`,
  );
}

function answers(node) {
  return (
    spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.startsWith(`v${requiredMajor}.`) ?? false
  );
}

async function fromNpm() {
  const folder = join(root, 'tools/node');
  const node = join(folder, `node_modules/node-linux-${process.arch}/bin/node`);
  if (!isInstalled(folder) && ownLibc() !== 'glibc') throw refusal(' without glibc');
  const installed = await ensureInstalled(folder, {
    what: `Node.js ${requiredMajor} for this project alone`,
    note: `this is ${process.version}; about 190 MB, once`,
    node: process.execPath,
  });
  if (installed && !answers(node)) throw refusal(', where the one from npm does not run');
  return node;
}

async function fromHomebrew() {
  const found = homebrewNodes.find((path) => existsSync(path));
  if (found) return found;
  if (spawnSync('brew', ['--version']).error) throw refusal(' without Homebrew');
  say(
    `installing Node.js ${requiredMajor} (brew install node@${requiredMajor}; beside ${process.version}) ...`,
  );
  const code = await run('brew', ['install', `node@${requiredMajor}`], { stdio: ['ignore', 2, 2] });
  const prefix = spawnSync('brew', ['--prefix', `node@${requiredMajor}`], {
    encoding: 'utf8',
  }).stdout?.trim();
  if (code !== 0 || !prefix) throw refusal(' and `brew install` failed');
  return join(prefix, 'bin/node');
}

/** The path of a Node >= 24: this very one if it is new enough, else the project's own. */
export async function ensureNode() {
  if (Number(process.versions.node.split('.')[0]) >= requiredMajor) return process.execPath;
  if (process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)) return fromNpm();
  if (process.platform === 'darwin') return fromHomebrew();
  throw refusal('');
}

/** The environment in which `node` means this one, for all that the program starts in turn. */
export function withNodeFirst(env, node) {
  return { ...env, PATH: [dirname(node), env.PATH].filter(Boolean).join(delimiter) };
}
