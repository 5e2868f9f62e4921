// simulate: the simulator of RunCloud's API as a program of its own.
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulator, DEFAULT_SERVER_ID, DEFAULT_WEBAPP_ID } from '../../simulator/index.ts';
import { type ExitCode, exitCodes, type Terminal } from '../output/terminal.ts';
import { parseSwitches } from '../switches.ts';

export async function simulate(
  { port, set = [] }: { port: string; set?: readonly string[] },
  stopped: Promise<string>,
  terminal: Terminal,
): Promise<ExitCode> {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    terminal.err(`--port must be a whole number from 0 to 65535, got "${port}"`);
    return exitCodes.usage;
  }
  const switches = parseSwitches(set);
  if (typeof switches === 'string') {
    terminal.err(switches);
    return exitCodes.usage;
  }
  const simulator = await createSimulator({
    port: number,
    // Every name leads here, and its certificate is issued: what a domain goes through can be watched to its end.
    edge: true,
    defaultDns: 'server',
    seed: { servers: [{ ipAddress: '127.0.0.1' }] },
    variants: { validation: 'http-01', ...switches },
    issuanceLagMs: 2_000,
    onCall: ({ method, path, status }) => terminal.out(`${method} ${path} -> ${status ?? 'no reply'}`),
  });
  const { token } = simulator.credentials;
  const { dnsAddress, tlsAddress, caPem } = simulator.edge;
  const caFile = join(tmpdir(), `runcloud-simulator-ca-${simulator.port}.pem`);
  await writeFile(caFile, caPem);
  for (const line of [
    `RunCloud's API is simulated at ${simulator.url}; stop it with Ctrl-C. A worker that talks to it:`,
    '',
    `  RUNCLOUD_API_URL=${simulator.url}/api/v3 RUNCLOUD_API_TOKEN=${token} \\`,
    `  RUNCLOUD_SERVER_ID=${DEFAULT_SERVER_ID} RUNCLOUD_APP_ID=${DEFAULT_WEBAPP_ID} DNS_GATE=auto DNS_SERVERS=${dnsAddress} \\`,
    `  TLS_PROBE_ADDRESS=${tlsAddress} TLS_CA_FILE=${caFile} SSL_REDEPLOY_DELAY_MS=5000 runcloud-domains worker`,
    '',
  ]) {
    terminal.err(line);
  }
  await stopped;
  await Promise.all([simulator.close(), rm(caFile, { force: true })]);
  return exitCodes.ok;
}
