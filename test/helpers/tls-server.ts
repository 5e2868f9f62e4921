// Throw-away certificate authorities, and a small real HTTPS server on loopback that shows what they issue.
// Knows nothing of the product.
import { constants, generateKeyPairSync, privateEncrypt, randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import forge from 'node-forge';

export interface CertificateWish {
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
  issue(desired: CertificateWish): KeyAndCertificate;
}

const dayMs = 86_400_000;
const fromNow = (days: number): Date => new Date(Date.now() + days * dayMs);

interface KeyPair {
  readonly key: string;
  readonly publicKey: forge.pki.rsa.PublicKey;
}

/** By node:crypto, since forge takes seconds for a key. */
function createKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    key: privateKey,
    publicKey: forge.pki.publicKeyFromPem(publicKey),
  };
}

function draft(keys: KeyPair, notBefore: Date, notAfter: Date): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = keys.publicKey;
  // Positive, as X.509 wants it.
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`;
  certificate.validity.notBefore = notBefore;
  certificate.validity.notAfter = notAfter;
  return certificate;
}

/** What stands before a SHA-256 in a PKCS #1 signature (RFC 8017, 9.2). */
const sha256Prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');

/** By node:crypto too: forge calls nothing but `sign` of the key, and its own takes a second. */
function sign(certificate: forge.pki.Certificate, { key }: KeyPair): string {
  const signer = {
    sign: (digest: forge.md.MessageDigest): string => {
      const info = Buffer.concat([sha256Prefix, Buffer.from(digest.digest().getBytes(), 'latin1')]);
      return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, info).toString('latin1');
    },
  };
  certificate.sign(signer as forge.pki.rsa.PrivateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

const altNames = (names: readonly string[]) => ({
  name: 'subjectAltName',
  altNames: names.map((value) => ({ type: 2, value })),
});

export function createCa(organization = 'Throw-away', commonName = 'Test CA'): TestCa {
  const keys = createKeyPair();
  const leafKeys = createKeyPair();
  const issuer = [
    { name: 'organizationName', value: organization },
    { name: 'commonName', value: commonName },
  ];
  const root = draft(keys, fromNow(-3650), fromNow(3650));
  root.setSubject(issuer);
  root.setIssuer(issuer);
  root.setExtensions([
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  return {
    certificate: sign(root, keys),
    issue({ names, notBefore = fromNow(-1), notAfter = fromNow(89), withoutAltNames = false }) {
      const leaf = draft(leafKeys, notBefore, notAfter);
      leaf.setSubject([{ name: 'commonName', value: names[0] ?? '' }]);
      leaf.setIssuer(issuer);
      leaf.setExtensions([
        { name: 'basicConstraints', cA: false },
        ...(withoutAltNames ? [] : [altNames(names)]),
      ]);
      return { key: leafKeys.key, cert: sign(leaf, keys) };
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
