// Every regular expression that stands in a source file, read from its tokens.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from '@babel/parser';

export interface FoundRegex {
  readonly file: string;
  readonly line: number;
  readonly source: string;
  readonly flags: string;
}

/** Literals as they stand. What is put together at run time cannot be read here: its file is named in `built`. */
export interface Regexes {
  readonly literals: readonly FoundRegex[];
  readonly built: readonly string[];
}

export function findRegexes(...folders: readonly string[]): Regexes {
  const literals: FoundRegex[] = [];
  const built: string[] = [];
  for (const file of folders.flatMap(sourcesIn)) {
    const text = readFileSync(file, 'utf8');
    const { tokens = [] } = parse(text, { sourceType: 'module', plugins: ['typescript'], tokens: true });
    for (const token of tokens as readonly Token[]) {
      const { pattern, flags } = (token.value ?? {}) as Partial<Record<'pattern' | 'flags', string>>;
      if (pattern !== undefined && flags !== undefined)
        literals.push({ file, line: token.loc.start.line, source: pattern, flags });
    }
    if (text.includes('new RegExp(')) built.push(file);
  }
  return { literals, built };
}

interface Token {
  readonly value?: unknown;
  readonly loc: { readonly start: { readonly line: number } };
}

const sourcesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.includes('node_modules'))
    .map((name) => join(folder, name));
