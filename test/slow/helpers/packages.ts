// The packages as their users get them: an unbuilt checkout, what npm makes of it, and empty projects that install that.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ran, run } from './execute.ts';

export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** A folder that is gone with the test. */
export interface Folder extends Disposable {
  readonly path: string;
}

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'runcloud-domains-package-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** What the runner of the tests says about itself, in npm's variables, is no setting of the user that a test plays. */
const userEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_(?!config_(registry|cache|userconfig))|NODE_OPTIONS|NODE_ENV|CI$)/.test(name),
    ),
  );

/** Runs a program as a user would, to its end. */
export const runAsUser = (
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<Ran> => run(command, args, { cwd, env: { ...userEnv(), ...env } });

/** npm with whatever registry this machine has configured. Throws where it fails, with its words. */
export async function npm(args: readonly string[], cwd: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--prefer-offline'];
  const { code, out, err } = await runAsUser('npm', [...args, ...quiet], cwd, env);
  if (code === 0) return out;
  const hint = /E?(NOTFOUND|AI_AGAIN|CONNREFUSED|TIMEDOUT|NOTCACHED)/.test(err)
    ? 'no npm registry answers here, which this test needs: '
    : '';
  throw new Error(`${hint}npm ${args.join(' ')} ended with ${code}:\n${err.slice(-4000)}${out.slice(-1000)}`);
}

/** The files of this checkout that git knows, or would take, in a repository of their own: nothing is built or installed in it. */
export async function freshCheckout(path: string): Promise<void> {
  const { code, out, err } = await runAsUser(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    root,
  );
  if (code !== 0) throw new Error(`these tests need a git checkout: ${err}`);
  for (const file of out.split('\0')) {
    if (file === '' || !existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(path, file)), { recursive: true });
    cpSync(join(root, file), join(path, file));
  }
  const who = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
  for (const args of [
    ['init', '-q'],
    ['add', '-A'],
    [...who, 'commit', '-qm', 'test'],
  ]) {
    const made = await runAsUser('git', args, path);
    if (made.code !== 0) throw new Error(`git ${args.join(' ')}: ${made.err}`);
  }
}

/** What is installed at `from`, this checkout by default, for another folder: not a byte is fetched for it. */
export const shareModules = (path: string, from = root): void =>
  symlinkSync(join(from, 'node_modules'), join(path, 'node_modules'));

export interface Packed {
  readonly tarball: string;
  /** The files in it. */
  readonly files: readonly string[];
}

/** `npm pack` of the checkout at `path`, or of one of its workspaces. */
export async function pack(path: string, into: string, workspace?: string): Promise<Packed> {
  const where = workspace === undefined ? [] : ['--workspace', workspace];
  const out = await npm(['pack', '--json', '--pack-destination', into, ...where], path);
  // Whatever a script may have printed stands before it.
  const [packed] = JSON.parse(out.slice(out.indexOf('[\n'))) as [
    { filename: string; files: { path: string }[] },
  ];
  return { tarball: join(into, packed.filename), files: packed.files.map((file) => file.path) };
}

/** An empty project with these files, and these packages installed. */
export async function createProject(
  path: string,
  files: Readonly<Record<string, string>>,
  packages: readonly string[],
  fields: object = {},
): Promise<void> {
  mkdirSync(path, { recursive: true });
  const manifest = { name: 'app', version: '1.0.0', private: true, ...fields };
  for (const [file, text] of Object.entries({ ...files, 'package.json': JSON.stringify(manifest) }))
    writeFileSync(join(path, file), text);
  if (packages.length > 0) await npm(['install', '--ignore-scripts', ...packages], path);
}

const compiler = join(root, 'node_modules/typescript/bin/tsc');

/** Compiles `files` as a strict project of today does. `types`: packages below this checkout's @types. */
export function compile(path: string, files: readonly string[], types: readonly string[] = []): Promise<Ran> {
  const options = { module: 'nodenext', target: 'es2022', strict: true, exactOptionalPropertyTypes: true };
  const typeRoots = [join(root, 'node_modules/@types')];
  const compilerOptions = { ...options, types, typeRoots, rewriteRelativeImportExtensions: true };
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  return runAsUser(process.execPath, [compiler, '-p', '.'], path);
}

/** The packages below a node_modules, and how many bytes their files have. */
export async function installed(
  path: string,
): Promise<{ readonly packages: string[]; readonly bytes: number }> {
  const files = readdirSync(join(path, 'node_modules'), { recursive: true, withFileTypes: true });
  const own = files.filter((file) => file.isFile() && file.name !== '.package-lock.json');
  const bytes = own.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
  const lock = (await npm(['ls', '--all', '--parseable'], path)).trim().split('\n').slice(1);
  return { packages: lock.map((line) => line.split('node_modules/').at(-1) ?? '').sort(), bytes };
}

/** A Node.js of that major version: this one, or the one that PATH has beyond the project's own. */
export async function findNode(major: number): Promise<string | undefined> {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const path of [process.execPath, ...folders.map((folder) => join(folder, 'node'))]) {
    if (!existsSync(path)) continue;
    const { out } = await runAsUser(path, ['--version'], root);
    if (out.startsWith(`v${major}.`)) return path;
  }
  return undefined;
}
