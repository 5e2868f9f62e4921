// One reader of text: right, or refused with the fix.
import { expect, test } from '@jest/globals';
import { decodeBytes, decodeText, TextError } from '../../src/untrusted/text-file.ts';

const bom = '\ufeff';
const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

test.each<readonly [sentence: string, bytes: Buffer]>([
  ['UTF-8', Buffer.from('ä=1\nb=2\n')],
  ['UTF-8 with a byte order mark', Buffer.from(`${bom}ä=1\nb=2\n`)],
  ['UTF-16, little end first', Buffer.from(`${bom}ä=1\nb=2\n`, 'utf16le')],
  ['UTF-16, big end first', utf16be(`${bom}ä=1\nb=2\n`)],
  ['lines that end with CR and LF', Buffer.from('ä=1\r\nb=2\r\n')],
  ['lines that end with CR alone', Buffer.from('ä=1\rb=2\r')],
])('%s is read', (_, bytes) => {
  expect(decodeText(bytes)).toBe('ä=1\nb=2\n');
});

test.each<readonly [sentence: string, bytes: Buffer, reason: RegExp]>([
  [
    'a byte that is no UTF-8',
    Buffer.from('a\nb\xe4\nhunter2', 'latin1'),
    /^it is broken UTF-8 in line 2; write it as UTF-8$/,
  ],
  ['half a character at the end', Buffer.from([0x61, 0xc3]), /broken UTF-8 in line 1/],
  ['a surrogate alone', Buffer.from([0xed, 0xa0, 0x80]), /broken UTF-8 in line 1/],
  ['half a unit of UTF-16', Buffer.from([0xff, 0xfe, 0x61]), /broken UTF-16LE/],
  ['UTF-16 without a mark', Buffer.from('a=1', 'utf16le'), /NUL bytes/],
  ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /NUL bytes/],
  ['NUL', Buffer.from('a\0b'), /NUL bytes, .* write it as UTF-8/],
])('%s is refused', (_, bytes, reason) => {
  expect(() => decodeText(bytes)).toThrow(TextError);
  expect(() => decodeText(bytes)).toThrow(reason);
  expect(() => decodeText(bytes)).not.toThrow(/hunter2/);
});

test('a program in another encoding keeps its ASCII, and one in UTF-16 is refused', () => {
  expect(decodeBytes(Buffer.from('ä = 1;\r', 'latin1'))).toBe('ä = 1;\n');
  expect(() => decodeBytes(Buffer.from(`${bom}a`, 'utf16le'))).toThrow(TextError);
});
