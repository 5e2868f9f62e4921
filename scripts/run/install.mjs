// Brings a folder's node_modules in line with its package-lock.json by `npm ci`, when it is not.
// A finished install is known by a stamp, or by npm's own record of what it has put there.
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { interruptedBy } from './child.mjs';
import { withLock } from './lock.mjs';
import { npmCi } from './npm.mjs';
import { Refusal, root, say } from './project.mjs';

const lockOf = (folder) => join(folder, 'package-lock.json');
const stampOf = (folder) => join(folder, 'node_modules/.fits-package-lock');
const recordOf = (folder) => join(folder, 'node_modules/.package-lock.json');

function expectedStamp(folder) {
  const hash = createHash('sha256')
    .update(readFileSync(lockOf(folder)))
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

/** `glibc` or `musl`; undefined where there is no such choice. */
export function ownLibc() {
  if (process.platform !== 'linux') return undefined;
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

/** npm leaves an optional package out, without a word, on other systems and when it could not be fetched. */
function createIsDesired() {
  const fits = (list, value) => !list || [list].flat().includes(value);
  const libc = ownLibc();
  return (entry) =>
    !entry.optional ||
    (Boolean(entry.os ?? entry.cpu) &&
      fits(entry.os, process.platform) &&
      fits(entry.cpu, process.arch) &&
      fits(entry.libc, libc));
}

/** What the lock asks for on this system that npm's record (written at the very end) has not, or has otherwise. */
export function missingFrom(lock, record) {
  const { '': _project, ...desired } = lock.packages;
  const isDesired = createIsDesired();
  const differs = (path) => record.packages[path]?.integrity !== desired[path]?.integrity;
  return [
    ...Object.keys(record.packages).filter(differs),
    ...Object.keys(desired).filter((path) => !(path in record.packages) && isDesired(desired[path])),
  ];
}

function missing(folder) {
  const record = readOr(recordOf(folder), undefined);
  if (record === undefined) return ['node_modules'];
  return missingFrom(JSON.parse(readFileSync(lockOf(folder), 'utf8')), JSON.parse(record));
}

function writeStamp(folder) {
  try {
    const draft = `${stampOf(folder)}.${process.pid}`;
    writeFileSync(draft, expectedStamp(folder));
    renameSync(draft, stampOf(folder));
  } catch {
    // A checkout that we may only read: the comparison is made again the next time.
  }
}

/** True when nothing has to be installed in this folder. */
export function isInstalled(folder) {
  if (readOr(stampOf(folder), '') === expectedStamp(folder)) return true;
  if (missing(folder).length > 0) return false;
  writeStamp(folder);
  return true;
}

function failure(folder, what, left) {
  const signal = interruptedBy();
  if (signal)
    return new Refusal(`interrupted; the next run starts the installation anew.`, 128 + signal.number);
  const why = left.length > 0 ? `npm could not fetch ${left.join(', ')}` : "npm's own words stand above";
  const where = relative(root, folder) || '.';
  return new Refusal(
    `could not install ${what}: ${why}. It needs the network (or a filled npm cache) and the right proxy ` +
      `settings; then run the same command again, or \`npm ci --prefix ${where}\` to see more.`,
  );
}

async function install(folder, { what, note, node }, onStart) {
  const startedAt = performance.now();
  say(`installing ${what} (${note}) ...`);
  for (const path of [stampOf(folder), recordOf(folder)]) rmSync(path, { force: true });
  const code = await npmCi(folder, node, onStart);
  const left = code === 0 ? missing(folder) : [];
  if (code !== 0 || left.length > 0) throw failure(folder, what, left);
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

/**
 * Installs only when needed, one at a time per checkout. Resolves with true if it did install.
 * `what` and `note` go to the user, `node` runs npm.
 */
export async function ensureInstalled(folder, desired) {
  if (isInstalled(folder)) return false;
  return withLock(join(lockFolder(), 'install.lock'), async (recordPid) => {
    if (isInstalled(folder)) return false;
    await install(folder, desired, (child) => recordPid(child.pid));
    return true;
  });
}
