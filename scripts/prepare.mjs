// npm's `prepare`: a package that npm makes of a checkout (`npm install git+ssh://…`) must hold what is compiled. npm has installed the
// development packages by then, and runs this under its own Node, which may be older than 24: the compiler needs no more.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, compiler, isBuilt } from './run/build.mjs';
import { run } from './run/child.mjs';
import { root, say } from './run/project.mjs';

/** `npm ci` makes a checkout ready to work in and ships nothing: it stays as fast as it is. */
const isOwnInstall = ({ npm_command: command }) => command === 'ci';

/** `npm install --omit=dev` in a checkout ships nothing either. (For a package it makes, npm asks for the development packages.) */
const omitsTools = ({ npm_config_omit: omitted = '', NODE_ENV: mode }) =>
  /\bdev\b/.test(omitted) || mode === 'production';

async function prepare() {
  if (isBuilt() || isOwnInstall(process.env)) return 0;
  if (existsSync(join(root, compiler))) return build((args) => run(process.execPath, args, { cwd: root }));
  if (omitsTools(process.env)) return 0;
  say('the compiler is not there: run `npm ci`, which installs it, and then the same command again.');
  return 1;
}

process.exitCode = await prepare();
