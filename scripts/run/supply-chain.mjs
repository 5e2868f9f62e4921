// What the product brings to production: its bill of materials, and the known vulnerabilities.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand, npmEnv, root } from './install.mjs';

/** The lock's path of `name` as a package at `from` finds it: in the nearest node_modules, as Node does. */
function resolve(packages, from, name) {
  const path = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
  if (path in packages || from === '') return path;
  return resolve(packages, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name);
}

/** The lock's paths of what a package needs: dependencies and peers. */
function neededBy(packages, path) {
  const {
    dependencies,
    optionalDependencies,
    peerDependencies = {},
    peerDependenciesMeta = {},
  } = packages[path];
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
  const names = [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
  return names.map((name) => resolve(packages, path, name)).filter((found) => found in packages);
}

/** All that an installation of the product brings, the product first. */
function productionOf(packages) {
  const paths = new Set(['']);
  // A set hands out what is added during the loop, too.
  for (const path of paths) for (const found of neededBy(packages, path)) paths.add(found);
  return [...paths];
}

/** Writes sbom.cdx.json (CycloneDX) from package-lock.json. It says nothing about this machine. */
export function writeSbom() {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const nameAt = (path) => path.split('node_modules/').at(-1) || lock.name;
  const refAt = (path) => `pkg:npm/${nameAt(path).replace('@', '%40')}@${lock.packages[path].version}`;
  const toComponent = (path) => {
    const { version, license, integrity = '' } = lock.packages[path];
    const [algorithm, hash = ''] = integrity.split('-');
    return {
      type: path === '' ? 'application' : 'library',
      'bom-ref': refAt(path),
      name: nameAt(path),
      version,
      purl: refAt(path),
      ...(license && { licenses: [{ expression: license }] }),
      ...(algorithm === 'sha512' && {
        hashes: [{ alg: 'SHA-512', content: Buffer.from(hash, 'base64').toString('hex') }],
      }),
    };
  };
  const paths = productionOf(lock.packages);
  const [product, ...components] = new Map(paths.map((path) => [refAt(path), toComponent(path)])).values();
  const dependencies = new Map(
    paths.map((path) => [refAt(path), [...new Set(neededBy(lock.packages, path).map(refAt))]]),
  );
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: product },
    components,
    dependencies: [...dependencies].map(([ref, dependsOn]) => ({ ref, dependsOn })),
  };
  writeFileSync(join(root, 'sbom.cdx.json'), `${JSON.stringify(bom, null, 2)}\n`);
  return 0;
}

const isSevere = ({ severity }) => ['high', 'critical'].includes(severity);

/** Prints what the registry knows. Returns 1 for something high or critical. Some registries do not answer. */
export function audit() {
  const print = (line) => process.stdout.write(`${line}\n`);
  const [command, ...first] = npmCommand();
  const { stdout, stderr } = spawnSync(command, [...first, 'audit', '--omit=dev', '--json'], {
    cwd: root,
    env: npmEnv(),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  let report = {};
  try {
    report = JSON.parse(stdout);
  } catch {
    // It is no report, as the next line finds.
  }
  if (report.auditReportVersion === undefined) {
    const why = report.message ?? (stderr?.trim().split('\n')[0] || 'no reason given');
    print(`Not audited: the registry does not answer (${why}).`);
    return 0;
  }
  // Packages with an advisory of their own. npm also lists all that depend on them, and names those by a text.
  const severe = Object.values(report.vulnerabilities).filter(({ via }) => via.some(isSevere));
  for (const { name, severity } of severe)
    print(`${severity}: ${name}. Run \`npm audit --omit=dev\` for details.`);
  print(`Audited: ${severe.length} of the packages for production with a high or critical vulnerability.`);
  return severe.length > 0 ? 1 : 0;
}
