// The command line: reads the arguments, starts a simulator, prints how to reach it, runs until it is stopped.
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEFAULT_SERVER_ID, DEFAULT_WEBAPP_ID } from './seed.ts';
import { createSimulator, type EdgedSimulator } from './simulator.ts';
import { VARIANT_TABLE } from './variant-table.ts';
import type { Variants } from './variants.ts';

export interface Surroundings {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Resolves when the simulator has to stop. */
  readonly stopped: Promise<void>;
  readonly version: string;
}

const DONE = 0;
const BAD_INPUT = 2;

const TABLE: Readonly<Record<string, { readonly values: readonly string[]; readonly about: string }>> =
  VARIANT_TABLE;

/** A mistake of the person who typed the command. */
class UsageError extends Error {}

const HELP = `Usage: runcloud-simulator [options]

Simulates RunCloud's API v2 and v3, DNS, Let's Encrypt and a TLS server on 127.0.0.1. Prints each API call.

Options:
  --port <number>         port of the API (default: 8080)
  --set <switch=value...> change how the simulator answers; \`doctor --survey\` prints what RunCloud does
  --switches              list all switches and their values
  --version               print the version
  --help                  print this help

Examples:
  runcloud-simulator --port 8080
  runcloud-simulator --set metaShape=laravel`;

interface Flags {
  readonly port: string;
  readonly set: readonly string[];
  readonly print: 'help' | 'switches' | 'version' | undefined;
}

/** `--set a=1 b=2` counts as `--set a=1 --set b=2`. */
function readFlags(argv: readonly string[]): Flags {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        port: { ...text, default: '8080' },
        set: { ...text, multiple: true, default: [] },
        help: flag,
        switches: flag,
        version: flag,
      },
    });
    const print = (['help', 'switches', 'version'] as const).find((name) => values[name]);
    return { port: values.port, set: [...values.set, ...positionals], print };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function toPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UsageError(`--port must be a whole number from 0 to 65535, got "${text}"`);
}

function toVariants(texts: readonly string[]): Partial<Variants> {
  const pairs = texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]);
  for (const [name = '', value = ''] of pairs) {
    const values = Object.hasOwn(TABLE, name) ? TABLE[name]?.values : undefined;
    if (!values)
      throw new UsageError(
        `--set ${name || texts.join(' ')}: unknown switch. Run with --switches to list all.`,
      );
    if (!values.includes(value)) throw new UsageError(`--set ${name}: must be one of ${values.join(', ')}`);
  }
  return Object.fromEntries(pairs) as Partial<Variants>;
}

const listSwitches = (): string =>
  Object.entries(TABLE)
    .map(([name, { values, about }]) => `${name}=${values.join('|')}\n  ${about}`)
    .join('\n');

/** Every name leads here and gets a certificate, so a domain can be followed until it is live. */
async function start({ port, set }: Flags, onCall: (line: string) => void): Promise<EdgedSimulator> {
  return await createSimulator({
    port: toPort(port),
    edge: true,
    defaultDns: 'server',
    seed: { servers: [{ ipAddress: '127.0.0.1' }] },
    variants: { validation: 'http-01', ...toVariants(set) },
    issuanceLagMs: 2_000,
    onCall: ({ method, path, status }) => onCall(`${method} ${path} -> ${status ?? 'no reply'}`),
  });
}

const introduce = ({ url, credentials, edge }: EdgedSimulator, caFile: string): string[] => [
  `RunCloud's API is simulated at ${url}; stop it with Ctrl-C. A worker that uses it:`,
  '',
  `  RUNCLOUD_API_URL=${url}/api/v3 RUNCLOUD_API_TOKEN=${credentials.token} \\`,
  `  RUNCLOUD_SERVER_ID=${DEFAULT_SERVER_ID} RUNCLOUD_APP_ID=${DEFAULT_WEBAPP_ID} DNS_GATE=auto DNS_SERVERS=${edge.dnsAddress} \\`,
  `  TLS_PROBE_ADDRESS=${edge.tlsAddress} TLS_CA_FILE=${caFile} SSL_REDEPLOY_DELAY=5s runcloud-domains worker`,
  '',
];

/** A sentence for what keeps it from listening; undefined for every other error. */
function describeListenError(error: unknown): string | undefined {
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  if (code === 'EADDRINUSE') return `${address}:${port} is already in use. Choose another port with --port.`;
  if (code === 'EACCES')
    return `${address}:${port} is reserved for root. Choose a port above 1023 with --port.`;
  return undefined;
}

async function run(argv: readonly string[], { out, err, stopped, version }: Surroundings): Promise<void> {
  const flags = readFlags(argv);
  if (flags.print) return out({ help: HELP, switches: listSwitches(), version }[flags.print]);
  const simulator = await start(flags, out);
  const caFile = join(tmpdir(), `runcloud-simulator-ca-${simulator.port}.pem`);
  try {
    await writeFile(caFile, simulator.edge.caPem);
    for (const line of introduce(simulator, caFile)) err(line);
    await stopped;
  } finally {
    await Promise.all([simulator.close(), rm(caFile, { force: true })]);
  }
}

/** Resolves with the exit code: 0 when it was stopped, 2 after a mistake in the arguments. */
export async function runCommandLine(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    await run(argv, surroundings);
    return DONE;
  } catch (error) {
    const message = error instanceof UsageError ? error.message : describeListenError(error);
    if (message === undefined) throw error;
    surroundings.err(message);
    return BAD_INPUT;
  }
}
