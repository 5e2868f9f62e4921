// simulate: the simulator of RunCloud's API as a program of its own.
import { createSimulator, DEFAULT_SERVER_ID, DEFAULT_WEBAPP_ID } from '../simulator/index.ts';
import { type ExitCode, exitCodes, type Terminal } from './terminal.ts';

export async function simulate(
  { port }: { port: string },
  stopped: Promise<string>,
  terminal: Terminal,
): Promise<ExitCode> {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    terminal.err(`--port must be a whole number from 0 to 65535, got "${port}"`);
    return exitCodes.usage;
  }
  const simulator = await createSimulator({
    port: number,
    onCall: ({ method, path, status }) => terminal.out(`${method} ${path} -> ${status ?? 'no reply'}`),
  });
  const { token } = simulator.credentials;
  for (const line of [
    `RunCloud's API is simulated at ${simulator.url}; stop it with Ctrl-C. A worker that talks to it:`,
    '',
    `  RUNCLOUD_API_URL=${simulator.url}/api/v3 RUNCLOUD_API_TOKEN=${token} \\`,
    `  RUNCLOUD_SERVER_ID=${DEFAULT_SERVER_ID} RUNCLOUD_APP_ID=${DEFAULT_WEBAPP_ID} runcloud-domains worker`,
    '',
  ]) {
    terminal.err(line);
  }
  await stopped;
  await simulator.close();
  return exitCodes.ok;
}
