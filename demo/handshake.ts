// The demo's own proof of HTTPS: one handshake as a browser makes it, with nothing of the worker's code.
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { EdgeAddresses } from '../packages/simulator/src/index.ts';

const TIMEOUT_MS = 10_000;

/** Until when the certificate that is shown for `name` is good; undefined where it would not satisfy a browser. */
export async function shakeHands(
  { tlsPort: port, caPem: ca }: EdgeAddresses,
  name: string,
): Promise<Date | undefined> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  // Node checks chain, dates and name, and ends in an error where one of them is wrong.
  const socket = connect({ host: '127.0.0.1', port, servername: name, ca });
  try {
    await once(socket, 'secureConnect', { signal });
    return new Date(socket.getPeerCertificate().valid_to);
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}
