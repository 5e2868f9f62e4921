// `prepare` is for checkouts: a package that is made holds no scripts/prepare.mjs, and npm would warn of the script at every installation.
// npm takes package.json as it stands between `prepack` and `postpack`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './project.mjs';

const manifest = join(root, 'package.json');
const PREPARE = '    "prepare": "node scripts/prepare.mjs",\n';
const NEXT = '    "prepack": ';

/** Takes `prepare` out of package.json. */
export function hidePrepare() {
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(PREPARE, ''));
  return 0;
}

/** Puts it back, where it is not there. */
export function restorePrepare() {
  const text = readFileSync(manifest, 'utf8');
  if (!text.includes(PREPARE)) writeFileSync(manifest, text.replace(NEXT, PREPARE + NEXT));
  return 0;
}
