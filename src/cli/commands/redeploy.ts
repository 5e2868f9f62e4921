// redeploy: reissues the certificate.
import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { requestCommand } from '../enqueue.ts';

export function addRedeploy(program: Command, cli: Cli): void {
  requestCommand(program, cli, {
    name: 'redeploy',
    job: 'redeploy-ssl',
    summary: 'Reissue the certificate now.',
  })
    .argument('[domain]', 'advanced SSL: only this domain (default: all)')
    .addHelpText('after', '\nExamples:\n  runcloud-domains redeploy --wait');
}
