// Text from bytes, for every file, pipe and body from people. Other encodings than UTF-8 are read
// correctly or refused. Imports nothing of ours.
import { readFileSync } from 'node:fs';

/**
 * Why there is no text: the end of a sentence that begins with "… cannot be read: ". Has nothing of
 * the text.
 */
export class TextError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'TextError';
  }
}

const marks = [
  { encoding: 'utf-8', mark: [0xef, 0xbb, 0xbf] },
  { encoding: 'utf-16le', mark: [0xff, 0xfe] },
  { encoding: 'utf-16be', mark: [0xfe, 0xff] },
] as const;

const saveIt = 'write it as UTF-8';

/**
 * The line of the first byte that is not UTF-8. A line break is one byte in UTF-8, never a part of
 * another character.
 */
function brokenLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    try {
      decoder.decode(bytes.subarray(start, end < 0 ? undefined : end));
    } catch {
      return line;
    }
    if (end < 0) break;
    start = end + 1;
  }
  return line;
}

function decode(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    const where = encoding === 'utf-8' ? ` in line ${brokenLine(bytes)}` : '';
    throw new TextError(`it is broken ${encoding.toUpperCase()}${where}; ${saveIt}`, { cause: error });
  }
}

const refuseNul = <T extends string | Uint8Array>(found: T, isThere: boolean): T => {
  if (isThere)
    throw new TextError(`it contains NUL bytes, so it is not text or in another encoding; ${saveIt}`);
  return found;
};

/**
 * UTF-8, or UTF-16 with a byte order mark. Removes the mark, and ends every line with `\n` (instead
 * of `\r` or `\r\n`). Throws TextError for broken UTF-8 or UTF-16 and for NUL.
 */
export function decodeText(bytes: Uint8Array): string {
  const found = marks.find(({ mark }) => mark.every((byte, i) => bytes[i] === byte));
  // TextDecoder removes the mark.
  const text = decode(bytes, found?.encoding ?? 'utf-8').replace(/\r\n?/g, '\n');
  return refuseNul(text, text.includes('\0'));
}

/**
 * A program's text in any encoding that extends ASCII, as PHP reads it: each byte is a character.
 * Throws TextError for NUL, and so for UTF-16, which PHP does not read either.
 */
export function decodeBytes(bytes: Uint8Array): string {
  refuseNul(bytes, bytes.includes(0));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').replace(/\r\n?/g, '\n');
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'it is a directory; name the file itself',
  EACCES: 'this user may not read it',
  ERR_FS_FILE_TOO_LARGE: 'it is too large',
};

/** The `code` of an error of node:fs. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;

/** Why a file could not be read, for a person. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof TextError) return error.message;
  const code = codeOf(error) ?? 'unknown error';
  return reasons[code] ?? code;
}

/** The text of a file. 0: standard input. Throws TextError, or an error of node:fs. */
export const readTextFile = (path: string | 0): string => decodeText(readFileSync(path));
