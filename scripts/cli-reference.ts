// docs/reference/cli.md: the commands and their flags, as commander knows them.
import { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import type { Cli } from '../src/cli/context.ts';
import { CONFIGURATION_HELP, DESCRIPTION, EXIT_CODES_HELP } from '../src/cli/messages.ts';
import { createProgram } from '../src/cli/program.ts';

type ToTable = (heads: readonly string[], rows: readonly (readonly string[])[]) => string;

/** Registering a command reads this much only; nothing runs. */
const registration = { terminal: {}, action: () => () => undefined } as unknown as Cli;

/** `callbacks list [options] [id...]` */
function usageOf(command: Command, parents: string): string {
  const names = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [parents, command.name(), ...names].filter(Boolean).join(' ');
}

/** Those that run, with the names of their parents. */
const runnable = (parent: Command, parents = ''): { command: Command; usage: string }[] =>
  parent.commands.flatMap((command) =>
    command.commands.length > 0
      ? runnable(command, command.name())
      : [{ command, usage: usageOf(command, parents) }],
  );

const defaultOf = (value: unknown): string => (typeof value === 'string' ? `\`${value}\`` : '');

function flagsOf(command: Command, toTable: ToTable): string {
  const rows = [
    ...command.registeredArguments.map((argument) => [`\`${argument.name()}\``, argument.description, '']),
    ...command.options.map((option) => {
      const choices = option.argChoices ? ` (${option.argChoices.join(', ')})` : '';
      const required = option.mandatory && option.defaultValue === undefined ? '; required' : '';
      return [
        `\`${option.flags}\``,
        `${option.description}${choices}${required}`,
        defaultOf(option.defaultValue),
      ];
    }),
  ];
  return rows.length === 0 ? '' : `\n\n${toTable(['Argument or flag', 'Meaning', 'Default'], rows)}`;
}

/** The help text behind the flags, as commander would print it. */
function examplesOf(command: Command): string {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  // A command is an emitter, which commander's types do not show.
  if (command instanceof EventEmitter) command.emit('afterHelp', { error: false, command, write });
  const lines = text.split('\n').filter((line) => line.startsWith('  '));
  const code = lines.map((line) => line.trim()).join('\n');
  return lines.length === 0 ? '' : `\n\n\`\`\`sh\n${code}\n\`\`\``;
}

/** The whole document, below `notice`. */
export function cliReference(notice: string, toTable: ToTable): string {
  const commands = runnable(createProgram(registration));
  const overview = commands.map(({ command, usage }) => [`\`${usage}\``, command.description()]);
  const sections = commands.map(
    ({ command, usage }) =>
      `## ${usage}\n\n${command.description()}${flagsOf(command, toTable)}${examplesOf(command)}`,
  );
  return [
    `<!-- ${notice} -->`,
    '# Command line',
    `\`runcloud-domains <command>\`, from a checkout \`npm run -s cli -- <command>\`. ${DESCRIPTION}`,
    `${CONFIGURATION_HELP} \`--help\` shows the same.`,
    toTable(['Command', 'What it does'], overview),
    `\`\`\`text\n${EXIT_CODES_HELP.trim()}\n\`\`\``,
    ...sections,
  ]
    .join('\n\n')
    .concat('\n');
}
