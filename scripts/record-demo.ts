// Plays the demo and puts its output into docs/start/demo.md: `npm run docs -- --record`.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const page = fileURLToPath(new URL('../docs/start/demo.md', import.meta.url));
const demo = fileURLToPath(new URL('../demo/demo.ts', import.meta.url));

/** Throws if the demo fails. */
export function recordDemo(): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [demo], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The demo ended with ${status}: ${stderr}`);
  const [start, end] = ['<!-- demo:start -->', '<!-- demo:end -->'];
  const text = readFileSync(page, 'utf8');
  const [head = '', rest = ''] = text.split(start);
  const [, tail = ''] = rest.split(end);
  writeFileSync(page, `${head}${start}\n\`\`\`\n${stdout.trimEnd()}\n\`\`\`\n${end}${tail}`);
}
