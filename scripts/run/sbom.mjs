// The software bill of materials that the package holds: CycloneDX, as npm makes it of package-lock.json, for production only.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askNpm } from './npm.mjs';
import { Refusal, root } from './project.mjs';

export const SBOM_FILE = 'sbom.cdx.json';

/** npm names the project by its folder, and packages by where they were fetched: both say something of this machine only. */
function withoutPlace(bom) {
  const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const component = { ...bom.metadata.component, name, externalReferences: [] };
  const components = bom.components.map((part) => ({ ...part, properties: [], externalReferences: [] }));
  return { ...bom, metadata: { ...bom.metadata, component: { ...component, properties: [] } }, components };
}

/** Writes it beside package.json. `node` runs npm. */
export function writeSbom(node) {
  const kind = ['--sbom-format=cyclonedx', '--sbom-type=application'];
  const { code, out, err } = askNpm(
    ['sbom', ...kind, '--omit=dev', '--package-lock-only', '--workspaces=false'],
    node,
  );
  if (code !== 0)
    throw new Refusal(`npm made no bill of materials (npm sbom, from npm 9.8 on): ${err.slice(-500)}`);
  writeFileSync(join(root, SBOM_FILE), `${JSON.stringify(withoutPlace(JSON.parse(out)), null, 2)}\n`);
  return 0;
}
