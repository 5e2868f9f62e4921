// A certificate authority for one simulator: created at its start, forgotten at its end. It signs real
// X.509 certificates. Node's TLS accepts them when it gets `caPem`. Only tests may trust it.
import 'reflect-metadata';
import { KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface Leaf {
  names: readonly string[];
  notBefore: number;
  notAfter: number;
  /** false: signed with its own key instead of the authority's. */
  isTrusted: boolean;
}

export interface Authority {
  caPem: string;
  /** The private key of all leaves. */
  keyPem: string;
  /** Resolves with the leaf in PEM. Each call creates another one, with its own serial number. */
  issue: (leaf: Leaf) => Promise<string>;
}

// Wide, because the simulator's clock may be anywhere. From 2050 on X.509 writes dates in another form.
const CA_FROM = Date.UTC(2000, 0, 1);
const CA_UNTIL = Date.UTC(2049, 11, 31);
const MAX_COMMON_NAME = 64;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const { KeyUsageFlags, ExtendedKeyUsage } = x509;

export async function createAuthority(): Promise<Authority> {
  const [ca, leafKeys] = await Promise.all([createPair(), createPair()]);
  const name = `RunCloud simulator ${randomBytes(4).toString('hex')}`;
  const caPem = await sign({
    subject: name,
    issuer: name,
    publicKey: ca.publicKey,
    signingKey: ca.privateKey,
    notBefore: CA_FROM,
    notAfter: CA_UNTIL,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  const issue = ({ names, notBefore, notAfter, isTrusted }: Leaf): Promise<string> => {
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
  const keyPem = KeyObject.from(leafKeys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { caPem, keyPem: String(keyPem), issue };
}

const createPair = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** A longer name does not fit (RFC 5280, ub-common-name). Clients check the subjectAltName anyway. */
const toCommonName = (names: readonly string[]): string =>
  names.find(({ length }) => length <= MAX_COMMON_NAME) ?? 'simulated';

const toLeafExtensions = (names: readonly string[]): x509.Extension[] => [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
  new x509.ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
  new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
];

interface Signing {
  subject: string;
  publicKey: webcrypto.CryptoKey;
  issuer: string;
  signingKey: webcrypto.CryptoKey;
  notBefore: number;
  notAfter: number;
  extensions: x509.Extension[];
}

async function sign({ subject, issuer, notBefore, notAfter, ...rest }: Signing): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    ...rest,
    signingAlgorithm: ALGORITHM,
    // The first byte keeps the number positive.
    serialNumber: `01${randomBytes(15).toString('hex')}`,
    subject: [{ CN: [subject] }],
    issuer: [{ CN: [issuer] }],
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
  });
  return `${certificate.toString('pem')}\n`;
}
