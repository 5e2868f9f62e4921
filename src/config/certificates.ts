// The files of certificate authorities that the configuration names: whether they can be read, and hold certificates.
import { X509Certificate } from 'node:crypto';
import { decodeText, TextError, whyUnreadable } from '../untrusted/text-file.ts';
import { type Gathered, type ReadFile, unreadable } from './sources.ts';
import type { VariableName } from './variables.ts';

const caFiles = ['REDIS_CA_FILE', 'TLS_CA_FILE'] as const;

/** Throws TextError where there is no certificate in PEM, or one that is none. */
function assertCertificates(pem: string): void {
  const blocks =
    pem.match(/-----BEGIN ([A-Z0-9 ]*)CERTIFICATE-----[\s\S]*?-----END \1CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0)
    throw new TextError('it holds no certificate in PEM, which begins with -----BEGIN CERTIFICATE-----');
  for (const [i, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new TextError(`its certificate ${i + 1} is broken: copy it anew`, { cause: error });
    }
  }
}

/** Whoever needs the file reads it later; that it is missing, or no such file, should come to light at the start. */
function checkFile(name: VariableName, { found }: Gathered, readFile: ReadFile): string[] {
  const path = found.get(name)?.text;
  if (path === undefined) return [];
  try {
    assertCertificates(decodeText(readFile(path)));
    return [];
  } catch (error) {
    return [unreadable(name, path, whyUnreadable(error))];
  }
}

/** The problems of all these files, as sentences. */
export const checkCertificates = (gathered: Gathered, readFile: ReadFile): string[] =>
  caFiles.flatMap((name) => checkFile(name, gathered, readFile));
