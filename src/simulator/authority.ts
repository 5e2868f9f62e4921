// A certificate authority for one simulator: made at its start, forgotten with it. Signs real X.509 leaves that
// Node's TLS believes when it is given `caPem`. Must never be trusted by anything but tests.
import { sign as cryptoSign, generateKeyPair, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

export interface Leaf {
  names: readonly string[];
  notBefore: number;
  notAfter: number;
  /** false: signed with its own key instead of the authority's. */
  isTrusted: boolean;
}

export interface Authority {
  caPem: string;
  /** Of all leaves. */
  keyPem: string;
  /** The leaf in PEM; each call makes another, with a serial number of its own. */
  issue: (leaf: Leaf) => string;
}

interface Pair {
  privateKey: string;
  publicKey: string;
}

interface Signing {
  subject: string;
  publicKey: string;
  issuer: string;
  signingKey: string;
  notBefore: number;
  notAfter: number;
  extensions: object[];
}

// Wide, because the simulator's clock may be anywhere; 2050 is where X.509 changes the form of its dates.
const CA_FROM = Date.UTC(2000, 0, 1);
const CA_UNTIL = Date.UTC(2049, 11, 31);
const MAX_COMMON_NAME = 64;

const CA_EXTENSIONS = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  { name: 'subjectKeyIdentifier' },
];

export async function createAuthority(): Promise<Authority> {
  const [ca, leafKeys] = await Promise.all([createPair(), createPair()]);
  const name = `RunCloud simulator ${randomBytes(4).toString('hex')}`;
  const caPem = sign({
    subject: name,
    issuer: name,
    publicKey: ca.publicKey,
    signingKey: ca.privateKey,
    notBefore: CA_FROM,
    notAfter: CA_UNTIL,
    extensions: CA_EXTENSIONS,
  });
  const issue = ({ names, notBefore, notAfter, isTrusted }: Leaf): string => {
    const subject = toCommonName(names);
    return sign({
      subject,
      issuer: isTrusted ? name : subject,
      publicKey: leafKeys.publicKey,
      signingKey: isTrusted ? ca.privateKey : leafKeys.privateKey,
      notBefore,
      notAfter,
      extensions: toLeafExtensions(names),
    });
  };
  return { caPem, keyPem: leafKeys.privateKey, issue };
}

/** Node's own key generator: the library's takes seconds. */
const createPair = (): Promise<Pair> =>
  promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });

/** Long names do not fit (RFC 5280, ub-common-name); who checks looks at the SAN. */
const toCommonName = (names: readonly string[]): string =>
  names.find(({ length }) => length <= MAX_COMMON_NAME) ?? 'simulated';

const toLeafExtensions = (names: readonly string[]): object[] => [
  { name: 'basicConstraints', cA: false, critical: true },
  { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
  { name: 'extKeyUsage', serverAuth: true },
  { name: 'subjectAltName', altNames: names.map((value) => ({ type: 2, value })) },
];

function sign({ subject, issuer, publicKey, signingKey, notBefore, notAfter, extensions }: Signing): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  // Positive, whatever the random bytes are.
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity = { notBefore: new Date(notBefore), notAfter: new Date(notAfter) };
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions(extensions);
  certificate.sign(toSigner(certificate, signingKey), forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}

/** Node's own RSA: the library's is plain JavaScript, and takes seconds under jest. It asks nothing else of a key. */
function toSigner(certificate: forge.pki.Certificate, keyPem: string): forge.pki.rsa.PrivateKey {
  const signWithNode = (): string => {
    const der = forge.asn1.toDer(certificate.tbsCertificate).getBytes();
    return cryptoSign('sha256', Buffer.from(der, 'binary'), keyPem).toString('binary');
  };
  return { sign: signWithNode } as unknown as forge.pki.rsa.PrivateKey;
}
