// Texts that make a regular expression work hardest: its own pieces, repeated, with an end that fits nothing.
import { type AST, RegExpParser } from '@eslint-community/regexpp';

const CHARACTERS = [...'a0 -.:/"<%=@Z_;,[{(\\|\'\t\n\u00e9\u0301'];
const TAILS = ['', '\u0001', '!', '\n'];

/** A character that one element takes; empty where none of ours does. */
function sampleOf({ raw }: AST.Element, flags: string): string {
  const one = new RegExp(`^${raw}$`, flags.replace(/[gy]/g, ''));
  return CHARACTERS.find((character) => one.test(character)) ?? '';
}

/** What an element takes; of a group the alternative `choice`. */
function textOf(element: AST.Element, flags: string, choice: number): string {
  switch (element.type) {
    case 'Character':
      return String.fromCodePoint(element.value);
    case 'CharacterClass':
    case 'CharacterSet':
      return sampleOf(element, flags);
    case 'Quantifier':
      return textOf(element.element, flags, choice).repeat(Math.max(1, Math.min(element.min, 100)));
    case 'Group':
    case 'CapturingGroup':
      return textOfAll(pick(element.alternatives, choice)?.elements ?? [], flags, choice);
    default:
      return '';
  }
}

const pick = <T>(items: readonly T[], choice: number): T | undefined => items[choice % items.length];
const textOfAll = (elements: readonly AST.Element[], flags: string, choice: number): string =>
  elements.map((element) => textOf(element, flags, choice)).join('');

type Piece = readonly [before: string, own: string];

/** All pieces that may be repeated, with what stands before each. */
const piecesOf = (alternatives: readonly AST.Alternative[], flags: string, before = ''): Piece[] =>
  alternatives.flatMap(({ elements }) =>
    [0, 1, 2].flatMap((choice) =>
      elements.flatMap((_, i) => piecesAt(elements, i, { flags, choice, before })),
    ),
  );

interface Where {
  readonly flags: string;
  readonly choice: number;
  readonly before: string;
}

function piecesAt(elements: readonly AST.Element[], i: number, { flags, choice, before }: Where): Piece[] {
  const element = elements[i];
  if (!element) return [];
  const start = textOfAll(elements.slice(0, i), flags, choice);
  const own = textOf(element, flags, choice);
  const inner = element.type === 'Quantifier' ? element.element : element;
  const below = 'alternatives' in inner ? piecesOf(inner.alternatives, flags, before + start) : [];
  // With something before it that it does not take: what is anchored at the start must not eat the row.
  return [['', start + own], [before + start, own], ['', own], ['\u0001', own], ...below];
}

/** About `length` characters each, none twice. */
export function attacksOn(source: string, flags: string, length: number): Set<string> {
  const isUnicode = flags.includes('u') || flags.includes('v');
  const { alternatives } = new RegExpParser().parsePattern(source, 0, source.length, { unicode: isUnicode });
  const attacks = new Set<string>();
  for (const [before, piece] of piecesOf(alternatives, flags))
    if (piece !== '')
      for (const tail of TAILS) attacks.add(before + piece.repeat(Math.ceil(length / piece.length)) + tail);
  return attacks;
}

/** Of this process, in milliseconds: other processes on a busy machine do not count. */
export function cpuMs(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
