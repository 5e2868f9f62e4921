// Which certificate does a server send for a name? One handshake, one HEAD request, no redirects.
// Throws only when aborted. Without a handshake the finding is `unknown`. No socket outlives the
// check.
import { X509Certificate } from 'node:crypto';
import {
  connect,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { withDeadline } from '../deadline.ts';
import { toHostAndPort } from './addresses.ts';
import type { TlsFinding } from './findings.ts';
import { judgeTls } from './judge-tls.ts';
import { noHandshake } from './messages.ts';
import { readCertificate, toKeptCertificate } from './served.ts';
import { toErrorCode, toShownText } from './shown-text.ts';

export interface TlsProbeOptions {
  /** PEM. Trusted beside the roots of Node and of this machine. */
  readonly ca?: string | undefined;
  /** In milliseconds, for the handshake, and again for the reply to HEAD. */
  readonly timeoutMs?: number | undefined;
}

export interface TlsProbe {
  check(
    name: string,
    address: { readonly host: string; readonly port: number },
    signal?: AbortSignal,
  ): Promise<TlsFinding>;
}

const defaultTimeoutMs = 5_000;
/** A status line comes first; 1xx replies before it are short. */
const maxHeadBytes = 4_096;

/** Node sets an Error's code or message here, but its types say Error. */
function toErrorText(error: unknown): string | undefined {
  if (error === null || error === undefined) return undefined;
  return typeof error === 'string' ? error : toErrorCode(error);
}

/**
 * Resolves with the fault of the chain. Rejects on an error, an early end, or when `ended` aborts.
 */
function handshake(socket: TLSSocket, ended: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      reject(Object.assign(new Error('no handshake in time'), { code: 'ETIMEDOUT' }));
      socket.destroy();
    };
    ended.addEventListener('abort', end, { once: true });
    const stopListening = (): void => ended.removeEventListener('abort', end);
    // Stays for the socket's whole life: an error without a listener would end the process.
    socket.on('error', reject);
    socket.once('close', () => {
      stopListening();
      reject(Object.assign(new Error('closed before the handshake'), { code: 'ECONNRESET' }));
    });
    socket.once('secureConnect', () => {
      stopListening();
      resolve(toErrorText(socket.authorizationError));
    });
    if (ended.aborted) end();
  });
}

/** The status of `HEAD /`, if one comes in time. */
function readStatus(socket: TLSSocket, name: string, ended: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (): void => {
      ended.removeEventListener('abort', finish);
      resolve(parseStatus(text));
    };
    ended.addEventListener('abort', finish, { once: true });
    socket.once('close', finish).once('end', finish);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (parseStatus(text) !== undefined || text.length > maxHeadBytes) finish();
    });
    if (ended.aborted || socket.destroyed) return finish();
    socket.write(
      `HEAD / HTTP/1.1\r\nHost: ${name}\r\nUser-Agent: runcloud-domains\r\nConnection: close\r\n\r\n`,
    );
  });
}

/** The final status; `103 Early Hints` and its like may come before. */
function parseStatus(text: string): number | undefined {
  const status = /^HTTP\/1\.[01] ([2-5]\d\d)\b/m.exec(text)?.[1];
  return status === undefined ? undefined : Number(status);
}

const readRoots = (ca: string | undefined): string[] => [
  ...new Set([...getCACertificates('default'), ...getCACertificates('system')]),
  ...(ca === undefined ? [] : [ca]),
];

/** Throws if `ca` has no certificate. */
export function createTlsProbe({ ca, timeoutMs = defaultTimeoutMs }: TlsProbeOptions = {}): TlsProbe {
  if (ca !== undefined) new X509Certificate(ca);
  let context: SecureContext | undefined;

  /** A few hundred roots take a while: once per probe, at the first check. */
  function trust(): SecureContext {
    context ??= createSecureContext({ ca: readRoots(ca) });
    return context;
  }

  function open(name: string, host: string, port: number): TLSSocket {
    return connect({
      host,
      port,
      servername: name,
      secureContext: trust(),
      ALPNProtocols: ['http/1.1'],
      // The check needs to see a wrong certificate too. It sends nothing secret.
      rejectUnauthorized: false,
      // judgeTls checks the name. Here it would hide a fault of the chain.
      checkServerIdentity: () => undefined,
    });
  }

  async function exchange(name: string, socket: TLSSocket, signal: AbortSignal | undefined) {
    const authorizationError = await withDeadline(timeoutMs, signal, (ended) => handshake(socket, ended));
    const certificate = readCertificate(socket);
    const httpStatus = await withDeadline(timeoutMs, signal, (ended) => readStatus(socket, name, ended));
    return { authorizationError, certificate, httpStatus };
  }

  return {
    async check(name, { host, port }, signal) {
      signal?.throwIfAborted();
      const address = toHostAndPort(host, port);
      let socket: TLSSocket | undefined;
      try {
        socket = open(name, host, port);
        const { authorizationError, certificate, httpStatus } = await exchange(name, socket, signal);
        signal?.throwIfAborted();
        if (certificate === undefined) return unknown(name, address, 'no certificate');
        const judgement = judgeTls(name, certificate, { authorizationError, nowMs: Date.now() });
        // All its names count for the verdict. Only the name's own are kept.
        return { name, ...judgement, address, certificate: toKeptCertificate(certificate, name), httpStatus };
      } catch (error) {
        signal?.throwIfAborted();
        return unknown(name, address, toErrorCode(error));
      } finally {
        socket?.destroy();
      }
    },
  };
}

function unknown(name: string, address: string, code: string): TlsFinding {
  return { name, verdict: 'unknown', sentence: noHandshake(name, address, toShownText(code)), address };
}
