// npm's `prepare`: an installation by git address (`npm install git+ssh://…`) must contain what is compiled.
// npm has installed the development packages by then. It runs this under its own Node, which may be older than 24.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, compiler } from './run/build.mjs';
import { run } from './run/child.mjs';
import { root, say } from './run/install.mjs';

/** Without one of them the package is of no use. */
const isBuilt = () =>
  ['cli/main.js', 'index.js', 'index.d.ts'].every((file) => existsSync(join(root, 'dist', file)));

/** `npm install --omit=dev` in a checkout ships nothing. For a git address npm installs the development packages. */
const omitsTools = ({ npm_config_omit: omitted = '', NODE_ENV: mode }) =>
  /\bdev\b/.test(omitted) || mode === 'production';

async function prepare() {
  // `npm ci` ships nothing either, and has to stay fast.
  if (isBuilt() || process.env.npm_command === 'ci') return 0;
  if (existsSync(join(root, compiler)))
    return build((args) => run(process.execPath, args, { cwd: root }), 'product');
  if (omitsTools(process.env)) return 0;
  say('the compiler is not there. Run `npm ci`, which installs it, and then the same command again.');
  return 1;
}

process.exitCode = await prepare();
