// Starts the workers and the server under PM2 (`pm2 start ecosystem.config.js`, after `npm run build`).
// Settings belong in .env beside this file, which they read themselves; what stands here would win over it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pinned = fileURLToPath(
  new URL(`./tools/node/node_modules/node-linux-${process.arch}/bin/node`, import.meta.url),
);

const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24;
if (!isNewEnough) {
  process.stderr.write(
    `runcloud-domains-server: pm2 runs under Node.js ${process.versions.node}, so that its reload refuses requests for some ` +
      'seconds. Under Node.js 24 it does not: `npm run pm2 -- <command>`, or your own pm2 under it (then `pm2 update`).\n',
  );
}

// They need Node.js 24, and PM2 would start it by whatever `node` its daemon once found on PATH. So the path is
// spelled out: the Node that runs this `pm2` command when it is new enough, else the one that `npm run build` fetched.
function interpreter() {
  if (isNewEnough) return process.execPath;
  if (existsSync(pinned)) return pinned;
  throw new Error(
    'No Node.js 24 to run it by: run `npm run build` first, or run pm2 itself under Node.js 24.',
  );
}

const common = {
  cwd: import.meta.dirname ?? fileURLToPath(new URL('.', import.meta.url)),
  script: './dist/cli/main.js',
  // Both say `ready` when they take work; only then does a reload go on to the next one.
  wait_ready: true,
  // A reload waits for that at most so long, then the old one is stopped all the same.
  listen_timeout: 30_000,
  // PM2 sends SIGINT, and SIGKILL after this: it must stay above SHUTDOWN_TIMEOUT (default 30 s).
  kill_timeout: 40_000,
  // One that cannot start (wrong configuration) is retried at a growing pace, not in a tight loop.
  exp_backoff_restart_delay: 200,
};

const forked = { exec_mode: 'fork', interpreter: interpreter() };

// In cluster mode PM2's daemon holds the port, and a reload starts the new server before the old one stops: no request is refused.
// But there PM2 knows no interpreter, only the Node that its daemon runs by; with an older one fork mode is left.
const shared = isNewEnough ? { exec_mode: 'cluster' } : forked;

// A named export: PM2 reads no default export from an ESM file.
export const apps = [
  // Workers share no port, so nothing is won by cluster mode; fork mode runs as many of them just as well.
  { name: 'runcloud-domains', args: 'worker', instances: 2, ...forked, ...common },
  // API, board, health and metrics at SERVER_HOST and SERVER_PORT: `pm2 delete runcloud-domains-server` where nobody needs it.
  { name: 'runcloud-domains-server', args: 'server', instances: 1, ...shared, ...common },
];
