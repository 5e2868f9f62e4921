// remove: detaches domains.
import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { requestCommand, withFile } from '../enqueue.ts';

export function addRemove(program: Command, cli: Cli): void {
  const command = requestCommand(program, cli, {
    name: 'remove',
    job: 'remove-domain',
    summary: 'Remove domains from the web application.',
  });
  withFile(command)
    .option('--site <id>', 'site of the domains, for your own reference')
    .addHelpText('after', '\nExamples:\n  runcloud-domains remove shop.example.org --wait');
}
