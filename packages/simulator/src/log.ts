// What RunCloud writes into a web application's activity log (reference section 13): above all why a certificate failed.
import type { LogEntry, LogKind, Order, World } from './world.ts';

export const LOG_KINDS = ['Info', 'Warning', 'High Priority Info'] as const satisfies readonly LogKind[];

export function addLogEntry(world: World, entry: LogEntry): void {
  world.log.push(entry);
}

/** An order that has ended. The wording of dns-01 was observed live (section 13), the others are made up. */
export function logOrder(world: World, order: Order): void {
  const { certificate, status, failedNames, readyAt } = order;
  const { webappId } = certificate;
  if (status === 'issued') {
    const content = `SSL certificate for ${certificate.names.join(', ')} deployed.`;
    addLogEntry(world, { webappId, kind: 'Info', content, createdAt: readyAt });
  }
  if (failedNames.length > 0)
    addLogEntry(world, { webappId, kind: 'Warning', content: toReason(order), createdAt: readyAt });
}

function toReason({ certificate, failedNames, refusedBy }: Order): string {
  const names = failedNames.join(', ');
  if (refusedBy !== null) return `Let's Encrypt refused the SSL certificate (${refusedBy}): ${names}`;
  if (certificate.authorizationMethod === 'dns-01')
    return `Failed to deploy SSL certificate for ${names}: domain is not found in the selected DNS provider`;
  return `Failed to deploy SSL certificate: Let's Encrypt could not validate ${names}`;
}
