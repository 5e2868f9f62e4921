// Turns an order for a certificate into covered names once the lag has passed, or into a failure. Decides by the
// clock when it is called, so it owns no timer. Must not know routes or replies.

import { findBadNames, findRefusal, isRenewal, toIssuedNames } from './lets-encrypt.ts';
import { logOrder } from './log.ts';
import type { Settings } from './settings.ts';
import { toLifetimeMs } from './settings.ts';
import type { Variants } from './variants.ts';
import type { Certificate, Order, World } from './world.ts';

export interface IssuanceParts {
  world: World;
  variants: Variants;
  settings: Settings;
}

/**
 * Takes an order: installs, redeploys and AutoSSL, in both modes. What a limit refuses has failed at once; a
 * name that does not validate is found when the order is due, or here where the switch `issuanceFailure` says
 * that RunCloud checks first.
 */
export function orderCertificate(
  parts: IssuanceParts & { now: number },
  certificate: Certificate,
  names: string[],
): Order {
  const { world, variants, settings, now } = parts;
  const refusal = findRefusal({ world, settings, variants, certificate, names, now });
  const order: Order = {
    certificate,
    names,
    orderedAt: now,
    readyAt: now + settings.issuanceLagMs,
    status: refusal === null ? 'pending' : 'failed',
    failedNames: refusal?.names ?? [],
    refusedBy: refusal?.limit ?? null,
    isRenewal: isRenewal(world, names),
  };
  world.orders.push(order);
  if (variants.issuanceFailure === '422') failEarly(parts, order);
  if (order.status === 'failed') logOrder(world, order);
  settleOrders(parts, now);
  return order;
}

/** Whether the caller hears of it: a failed order is otherwise silent. */
export const isRefusedAloud = ({ status }: Order, { issuanceFailure }: Variants): boolean =>
  issuanceFailure === '422' && status === 'failed';

function failEarly(parts: IssuanceParts & { now: number }, order: Order): void {
  if (order.status !== 'pending') return;
  const bad = badNamesIn(parts, order);
  if (!isBlocked(parts, order, bad)) return;
  Object.assign(order, { status: 'failed', failedNames: bad, readyAt: parts.now });
}

/** To be called before anything reads the world or changes the DNS: makes true what has become due. */
export function settleOrders(parts: IssuanceParts, now: number): void {
  for (const order of parts.world.orders) {
    if (order.status !== 'pending' || order.readyAt > now) continue;
    settle(parts, order);
    logOrder(parts.world, order);
  }
}

function settle(parts: IssuanceParts, order: Order): void {
  order.failedNames = badNamesIn(parts, order);
  if (isBlocked(parts, order, order.failedNames)) {
    // The certificate keeps the names it has.
    order.status = 'failed';
    return;
  }
  order.status = 'issued';
  order.certificate.names = toIssuedNames(order);
  order.certificate.issuedAt = order.readyAt;
  order.certificate.lifetimeMs = toLifetimeMs(parts.settings);
}

const badNamesIn = (parts: IssuanceParts, { certificate, names }: Order): string[] =>
  parts.variants.validation === 'none' ? [] : findBadNames(parts, certificate, names);

/** All authorizations of an order must pass (section 9), unless RunCloud leaves the bad names out. */
const isBlocked = ({ variants }: IssuanceParts, order: Order, bad: readonly string[]): boolean =>
  bad.length > 0 && (variants.badName === 'blocks-all' || bad.length === order.names.length);

export function isIssuing(world: World, certificate: Certificate): boolean {
  return world.orders.some((order) => order.status === 'pending' && order.certificate === certificate);
}

/** Removes certificates with the orders under way for them: a late order must not bring one back. */
export function removeCertificates(world: World, gone: readonly Certificate[]): void {
  world.certificates = world.certificates.filter((certificate) => !gone.includes(certificate));
  for (const order of world.orders) {
    if (order.status === 'pending' && gone.includes(order.certificate)) order.status = 'cancelled';
  }
}
