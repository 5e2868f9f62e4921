// The demo's own command line: argv to options. Prints nothing and ends nothing.
import { parseArgs } from 'node:util';

export type Desired =
  | { readonly kind: 'run'; readonly keep: boolean }
  | { readonly kind: 'help' }
  | { readonly kind: 'refused'; readonly sentence: string };

export const HELP = `Usage: npm run demo [-- --keep]

App servers request domains, a worker attaches them and proves that HTTPS works. It uses a private Redis, a
simulator (RunCloud's API, DNS, Let's Encrypt) and a real worker, for about 20 seconds. It needs no account, does
not call the real RunCloud, and leaves nothing behind.

Options:
  --keep       stay up after the story until Ctrl-C, to try commands from a second terminal
  -h, --help   show this

Environment:
  REDIS_URL    use this Redis instead of a private one; the demo's keys get a prefix of their own there and
               are deleted at the end
  NO_COLOR     no colours

Exit codes:
  0  every promise was kept      1  one was not, or something could not be started
  2  wrong arguments                            130  Ctrl-C in the middle`;

const options = {
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export function parseOptions(args: readonly string[]): Desired {
  const { values, tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'positional') return refuse(`takes no argument "${token.value}"`);
    if (token.kind !== 'option') continue;
    if (!Object.hasOwn(options, token.name)) return refuse(`has no option ${token.rawName}`);
    if (token.value !== undefined) return refuse(`takes no value for ${token.rawName}`);
  }
  return values.help === true ? { kind: 'help' } : { kind: 'run', keep: values.keep === true };
}

const refuse = (what: string): Desired => ({
  kind: 'refused',
  sentence: `The demo ${what}; it knows --keep and --help.`,
});
