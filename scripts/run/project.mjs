// What the parts of the runner share: where the project is, how it speaks, how it refuses.
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** One line on stderr: stdout belongs to the program that is run. */
export function say(line) {
  process.stderr.write(`runcloud-domains: ${line}\n`);
}

/** A reason to stop that a person can act on; printed without a stack. */
export class Refusal extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
