// A lock file for one checkout: two commands at once must not install into the same folder.
// It names the processes that work under it, so that one left by a killed run is recognised and taken over.
import { closeSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './project.mjs';

const pollMs = 200;
const heartbeatMs = 5000;
/** Only for what pids cannot tell: another machine or container, or a pid that has been given away again. */
const staleAfterMs = 60_000;
const takeoverMs = 10_000;

function createExclusively(path, text) {
  try {
    const file = openSync(path, 'wx');
    writeFileSync(file, text);
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function isStale(path) {
  const age = ageMs(path);
  if (age === undefined) return false;
  const holder = read(path);
  if (!holder) return age > pollMs * 5;
  const gone = holder.host === hostname() && !holder.pids.some(isAlive);
  const npmStillRuns = holder.host === hostname() && holder.pids.slice(1).some(isAlive);
  return gone || (age > staleAfterMs && !npmStillRuns);
}

/** Removes a stale lock; under a second lock, so that nobody removes the one that has replaced it. */
function removeStale(path) {
  const takeover = `${path}.takeover`;
  if (!createExclusively(takeover, '')) {
    if ((ageMs(takeover) ?? 0) > takeoverMs) rmSync(takeover, { force: true });
    return;
  }
  try {
    if (isStale(path)) rmSync(path, { force: true });
  } finally {
    rmSync(takeover, { force: true });
  }
}

async function acquire(path, tell) {
  const own = JSON.stringify({ host: hostname(), pids: [process.pid] });
  for (let said = false; !createExclusively(path, own); ) {
    if (isStale(path)) removeStale(path);
    else if (!said) {
      said = true;
      tell(`another run is installing here (process ${read(path)?.pids?.[0] ?? '?'}); waiting for it ...`);
    }
    await sleep(pollMs);
  }
}

/** Runs `work(recordPid)` while holding the lock; `recordPid` names a child that must end before takeover. */
export async function withLock(path, work, tell = say) {
  await acquire(path, tell);
  const heartbeat = setInterval(() => utimesSync(path, new Date(), new Date()), heartbeatMs).unref();
  try {
    return await work((pid) =>
      writeFileSync(path, JSON.stringify({ host: hostname(), pids: [process.pid, pid] })),
    );
  } finally {
    clearInterval(heartbeat);
    rmSync(path, { force: true });
  }
}
