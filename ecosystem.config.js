// Starts the workers and the server under PM2 (`pm2 start ecosystem.config.js`, after `npm run build`).
// Settings belong in .env beside this file, which they read themselves. Variables set here would win over it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const pinned = fileURLToPath(
  new URL(`./tools/node/node_modules/node-linux-${process.arch}/bin/node`, import.meta.url),
);

const isNewEnough = Number(process.versions.node.split('.')[0]) >= 24;
if (!isNewEnough) {
  process.stderr.write(
    `runcloud-domains-server: pm2 runs under Node.js ${process.versions.node}, so its reload refuses requests for some ` +
      'seconds. Use Node.js 24: `npm run pm2 -- <command>`, or your own pm2 under it (then `pm2 update`).\n',
  );
}

// They need Node.js 24, but PM2 starts whatever `node` its daemon once found on PATH. So this names the path: the Node
// that runs this `pm2` command if it is new enough, else the one that `npm run build` has fetched.
function interpreter() {
  if (isNewEnough) return process.execPath;
  if (existsSync(pinned)) return pinned;
  throw new Error('Node.js 24 is missing: run `npm run build` first, or run pm2 itself under Node.js 24.');
}

const common = {
  cwd: import.meta.dirname ?? fileURLToPath(new URL('.', import.meta.url)),
  script: './dist/cli/main.js',
  // Both send `ready` when they take work. Only then does a reload continue with the next one.
  wait_ready: true,
  // A reload waits for it this long, then it stops the old one anyway.
  listen_timeout: 30_000,
  // PM2 sends SIGINT, and SIGKILL after this: it must stay above SHUTDOWN_TIMEOUT (default 30 s).
  kill_timeout: 40_000,
  // A process that cannot start (wrong configuration) is restarted with backoff.
  exp_backoff_restart_delay: 200,
};

const forked = { exec_mode: 'fork', interpreter: interpreter() };

// In cluster mode PM2's daemon has the port, and a reload starts the new server before it stops the old one: no request
// is refused. Cluster mode always uses the daemon's own Node, so an older one leaves fork mode only.
const shared = isNewEnough ? { exec_mode: 'cluster' } : forked;

// A named export: PM2 reads no default export from an ESM file.
export const apps = [
  // Workers share no port, so they gain nothing from cluster mode.
  { name: 'runcloud-domains', args: 'worker', instances: 2, ...forked, ...common },
  // API, board, health and metrics at SERVER_HOST and SERVER_PORT: `pm2 delete runcloud-domains-server` removes it.
  { name: 'runcloud-domains-server', args: 'server', instances: 1, ...shared, ...common },
];
