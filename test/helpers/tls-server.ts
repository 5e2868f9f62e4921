// Throw-away certificate authorities, and a small real HTTPS server on loopback that shows what they issue.
// Knows nothing of the product.
import 'reflect-metadata';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import * as x509 from '@peculiar/x509';

export interface CertificateRequest {
  /** DNS names of the subjectAltName; the first is the common name too. */
  readonly names: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Without a subjectAltName, as certificates were long ago. */
  readonly withoutAltNames?: boolean;
}

export interface KeyAndCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface TestCa {
  /** PEM. */
  readonly certificate: string;
  issue(request: CertificateRequest): Promise<KeyAndCertificate>;
}

const dayMs = 86_400_000;
const fromNow = (days: number): Date => new Date(Date.now() + days * dayMs);

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const createKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

type SignedByKey = Extract<x509.X509CertificateCreateParams, { signingKey: unknown }>;
type Draft = Omit<SignedByKey, 'serialNumber' | 'signingAlgorithm'>;

async function sign(draft: Draft): Promise<string> {
  // The first byte keeps the number positive.
  const serialNumber = `01${randomBytes(8).toString('hex')}`;
  const signed = await x509.X509CertificateGenerator.create({
    ...draft,
    serialNumber,
    signingAlgorithm: algorithm,
  });
  return `${signed.toString('pem')}\n`;
}

export async function createCa(organization = 'Throw-away', commonName = 'Test CA'): Promise<TestCa> {
  const [keys, leafKeys] = await Promise.all([createKeys(), createKeys()]);
  const issuer = [{ O: [organization] }, { CN: [commonName] }];
  const { KeyUsageFlags } = x509;
  const certificate = await sign({
    subject: issuer,
    issuer,
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    notBefore: fromNow(-3650),
    notAfter: fromNow(3650),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  const key = String(KeyObject.from(leafKeys.privateKey).export({ type: 'pkcs8', format: 'pem' }));
  return {
    certificate,
    async issue({ names, notBefore = fromNow(-1), notAfter = fromNow(89), withoutAltNames = false }) {
      const altNames = new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: 'dns', value })),
      );
      const cert = await sign({
        subject: [{ CN: [names[0] ?? ''] }],
        issuer,
        publicKey: leafKeys.publicKey,
        signingKey: keys.privateKey,
        notBefore,
        notAfter,
        extensions: [new x509.BasicConstraintsExtension(false), ...(withoutAltNames ? [] : [altNames])],
      });
      return { key, cert };
    },
  };
}

export interface TlsServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** By server name, `*` for all others; may be changed at any time. */
  readonly certificates: Map<string, KeyAndCertificate>;
  /** What came in over the connections. */
  readonly requests: readonly string[];
  /** Connections that are still open. */
  readonly open: ReadonlySet<Socket>;
}

export interface TlsServerOptions {
  readonly host?: string;
  readonly certificates: Readonly<Record<string, KeyAndCertificate>>;
  /** The raw reply to a request; undefined: none, the connection stays open. */
  readonly reply?: (request: string) => string | undefined;
}

const ok = (): string => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

/** A name without a certificate ends the handshake with an alert. */
export async function startTlsServer({
  host = '127.0.0.1',
  certificates: initial,
  reply = ok,
}: TlsServerOptions): Promise<TlsServer> {
  const certificates = new Map(Object.entries(initial));
  const requests: string[] = [];
  const server = createServer({
    SNICallback: (name, done) => {
      const found = certificates.get(name) ?? certificates.get('*');
      if (found === undefined) return done(new Error(`no certificate for ${name}`));
      done(null, createSecureContext({ key: found.key, cert: found.cert }));
    },
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      requests.push(chunk.toString('latin1'));
      const text = reply(chunk.toString('latin1'));
      if (text !== undefined) socket.end(text);
    });
  });
  server.on('tlsClientError', () => {});
  return { ...(await listen(server, host)), certificates, requests };
}

/** Takes connections and never says a word. */
export async function startSilentServer(
  host = '127.0.0.1',
): Promise<Omit<TlsServer, 'certificates' | 'requests'>> {
  return listen(
    createTcpServer((socket) => socket.resume()),
    host,
  );
}

async function listen(server: ReturnType<typeof createTcpServer>, host: string) {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  return {
    host,
    port: (server.address() as AddressInfo).port,
    open: open as ReadonlySet<Socket>,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
