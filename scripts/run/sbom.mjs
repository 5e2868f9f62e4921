// The software bill of materials that the package holds: CycloneDX, as npm makes it of package-lock.json, for production only.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askNpm } from './npm.mjs';
import { Refusal, root } from './project.mjs';

export const SBOM_FILE = 'sbom.cdx.json';

const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

/** Where `name` is found by what stands at `path` in the lock: the nearest node_modules that has it, as Node looks for it. */
function resolve(packages, path, name) {
  const found = path === '' ? `node_modules/${name}` : `${path}/node_modules/${name}`;
  if (found in packages || path === '') return found;
  return resolve(packages, path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))), name);
}

/** What somebody who installs the package gets, as name@version. (`npm sbom --omit=dev` of npm 11 leaves out what development needs too.) */
function productionOf({ packages }) {
  const paths = new Set();
  const visit = (path) => {
    const {
      dependencies,
      optionalDependencies,
      peerDependencies,
      peerDependenciesMeta = {},
    } = packages[path];
    const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta[name]?.optional);
    const names = [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
    for (const found of names.map((name) => resolve(packages, path, name))) {
      if (paths.has(found) || !(found in packages)) continue;
      paths.add(found);
      visit(found);
    }
  };
  visit('');
  return new Set([...paths].map((path) => `${path.split('node_modules/').at(-1)}@${packages[path].version}`));
}

/** npm names the project by its folder, and packages by where they were fetched: both say something of this machine only. */
const withoutPlace = (part) => ({ ...part, properties: [], externalReferences: [] });

function forProduction(bom) {
  const production = productionOf(read('package-lock.json'));
  const components = bom.components.filter(({ name, version }) => production.has(`${name}@${version}`));
  const { component } = bom.metadata;
  const refs = new Set([component, ...components].map((part) => part['bom-ref']));
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) }));
  return {
    ...bom,
    metadata: { ...bom.metadata, component: { ...withoutPlace(component), name: read('package.json').name } },
    components: components.map(withoutPlace),
    dependencies,
  };
}

/** Writes it beside package.json. `node` runs npm. */
export function writeSbom(node) {
  const kind = ['--sbom-format=cyclonedx', '--sbom-type=application'];
  const { code, out, err } = askNpm(['sbom', ...kind, '--package-lock-only', '--workspaces=false'], node);
  if (code !== 0)
    throw new Refusal(`npm made no bill of materials (\`npm sbom\`, from npm 9.8 on): ${err.slice(-500)}`);
  writeFileSync(join(root, SBOM_FILE), `${JSON.stringify(forProduction(JSON.parse(out)), null, 2)}\n`);
  return 0;
}
