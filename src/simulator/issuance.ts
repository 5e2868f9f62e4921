// Turns an order for a certificate into covered names once the lag has passed. Decides by the clock when it
// is asked, so it owns no timer. Must not know routes or replies.
import type { Certificate, Order, World } from './world.ts';

/**
 * Takes an order. This is the place where DNS validation, a refused authorization and Let's Encrypt's limits
 * (reference section 9) will one day say no; today every order is good.
 */
export function orderCertificate(options: {
  world: World;
  certificate: Certificate;
  names: string[];
  now: number;
  lagMs: number;
}): Order {
  const { world, certificate, names, now, lagMs } = options;
  const order: Order = { certificate, names, orderedAt: now, readyAt: now + lagMs, status: 'pending' };
  world.orders.push(order);
  settleOrders(world, now);
  return order;
}

/** To be called before anything reads the world: makes true what has become due. */
export function settleOrders(world: World, now: number): void {
  for (const order of world.orders) {
    if (order.status === 'pending' && order.readyAt <= now) settle(order);
  }
}

function settle(order: Order): void {
  order.status = 'issued';
  order.certificate.names = order.names;
  order.certificate.issuedAt = order.readyAt;
}

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
