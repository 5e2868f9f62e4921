// The table of states: what the Lua, the documents and the callbacks know of a state comes from it.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { messageTypes } from '../../src/callbacks/message.ts';
import { MOVE_TO } from '../../src/domains/state-scripts.ts';
import { stateNames, states } from '../../src/domains/states.ts';

test.each(stateNames)('%s: its event is one that callbacks know, and the Lua emits it', (name) => {
  const { event } = states[name];
  if (event === undefined) expect(MOVE_TO).not.toContain(`['${name}'] = '`);
  else {
    expect(messageTypes).toContain(event.type);
    expect(MOVE_TO).toContain(`['${name}'] = '${event.type}'`);
  }
});

test('every state has a meaning of its own', () => {
  expect(new Set(stateNames.map((name) => states[name].meaning)).size).toBe(stateNames.length);
});

test.each(['docs/contributing/glossary.md', 'docs/guides/certificates.md', 'docs/img/life.svg'])(
  '%s names every state',
  (file) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const isLeft = (name: string): boolean => file.endsWith('.svg') && /remov|failed/.test(name);
    expect(stateNames.filter((name) => !isLeft(name) && !text.includes(name))).toEqual([]);
  },
);
