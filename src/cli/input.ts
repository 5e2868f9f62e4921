// Text on standard input.
import { decodeText } from '../untrusted/text-file.ts';
import type { Input } from './context.ts';

/** All of it. Throws TextError when it is no text. */
export async function readText(input: Input): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as string | Buffer));
  return decodeText(Buffer.concat(chunks));
}
