// The files of certificate authorities: whether they can be read, and contain certificates.
import { X509Certificate } from 'node:crypto';
import { decodeText, TextError, whyUnreadable } from '../untrusted/text-file.ts';
import { certificateFile } from './kinds.ts';
import { brokenCertificate, NO_CERTIFICATE } from './messages.ts';
import { type Gathered, type ReadFile, unreadable } from './sources.ts';

/** Throws TextError without a certificate in PEM, or with a broken one. */
function assertCertificates(pem: string): void {
  const blocks =
    pem.match(/-----BEGIN ([A-Z0-9 ]*)CERTIFICATE-----[\s\S]*?-----END \1CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new TextError(NO_CERTIFICATE);
  for (const [i, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new TextError(brokenCertificate(i + 1), { cause: error });
    }
  }
}

/** The problems of all these files. Their users read them later, but a missing file is known at the start. */
export const checkCertificates = ({ found }: Gathered, readFile: ReadFile): string[] =>
  [...found].flatMap(([entry, { text: path }]) => {
    if (entry.kind !== certificateFile) return [];
    try {
      assertCertificates(decodeText(readFile(path)));
      return [];
    } catch (error) {
      return [unreadable(entry, path, whyUnreadable(error))];
    }
  });
