// add: attaches domains.
import { type Command, Option } from 'commander';
import type { Cli } from '../context.ts';
import { requestCommand, withFile } from '../enqueue.ts';

export function addAdd(program: Command, cli: Cli): void {
  const command = requestCommand(program, cli, {
    name: 'add',
    job: 'add-domain',
    summary: 'Attach domains to the web application and get a certificate for them.',
  });
  withFile(command)
    .option('--also', 'attach here too, although another web application has the domain')
    .option('--site <id>', 'site of the domains, for your own reference')
    .addOption(
      new Option('--www <when>', 'attach the www name too')
        .choices(['auto', 'true', 'false'])
        .default('auto'),
    )
    .addOption(
      new Option('--redirection <kind>', 'which name redirects to the other').choices([
        'none',
        'www',
        'non-www',
      ]),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  runcloud-domains add shop.example.org --wait\n  runcloud-domains add --file customers.txt --www false',
    );
}
