// Which certificate a handshake for a name gets to see: what was issued in the simulated world, the default one,
// or a lie that a test has set. Pure; the handshake is in tls.ts.
import type { Leaf } from './authority.ts';
import type { Lie } from './lies.ts';
import type { Certificate, World } from './world.ts';
import { certificatesOf, domainNamed } from './world.ts';

export interface Served extends Leaf {
  /** Same certificate, same issuance: same leaf. */
  certificateId: number | null;
}

const DAY_MS = 86_400_000;
/** Of what is shown beside the certificates of the simulated world. */
const LIFETIME_MS = 90 * DAY_MS;
export const OTHER_SITE = 'other-site.example';
const WRONG_NAME = 'wrong-name.example';

export function chooseServed(world: World, name: string, now: number): Served | 'silent' {
  const certificate = coveringCertificate(world, name);
  const truth = certificate === undefined ? null : toServed(certificate);
  const lie = world.lies.get(name);
  if (lie === undefined) return truth ?? otherSite(now);
  return lie.silent ? 'silent' : spoil(truth ?? alone(name, now), lie, now);
}

/** A name has to be attached still: nginx finds the certificate by the web application. */
function coveringCertificate(world: World, name: string): Certificate | undefined {
  const domain = domainNamed(world, name);
  if (domain === undefined) return undefined;
  const covering = certificatesOf(world, domain.webappId).filter(
    ({ issuedAt, names }) => issuedAt !== null && names.includes(name),
  );
  return covering.toSorted((one, other) => (other.issuedAt ?? 0) - (one.issuedAt ?? 0))[0];
}

function toServed({ id, names, issuedAt, lifetimeMs, staging }: Certificate): Served {
  const notBefore = issuedAt ?? 0;
  // Nobody trusts what Let's Encrypt's staging environment signs.
  return { ...period(notBefore + lifetimeMs, lifetimeMs), names, isTrusted: !staging, certificateId: id };
}

/** What an uncovered name gets, as observed live: another site's on the same box (reference section 5 [F] PBAC). */
const otherSite = (now: number): Served => alone(OTHER_SITE, now);

/** Issued at the start of the day before, so that it stays the same for a while: two handshakes show one certificate. */
function alone(name: string, now: number): Served {
  const issuedAt = startOfYesterday(now);
  return { ...period(issuedAt + LIFETIME_MS), names: [name], isTrusted: true, certificateId: null };
}

const startOfYesterday = (now: number): number => Math.floor(now / DAY_MS - 1) * DAY_MS;

/** A wrong name is another site's certificate: no issuance of this one's changes it. */
function spoil(truth: Served, { expired, wrongName, untrusted, notAfter }: Lie, now: number): Served {
  const end = notAfter ?? (expired ? startOfYesterday(now) : null);
  return {
    ...truth,
    ...(wrongName && alone(WRONG_NAME, now)),
    ...(end !== null && period(end, truth.notAfter - truth.notBefore)),
    isTrusted: truth.isTrusted && untrusted !== true,
  };
}

const period = (notAfter: number, lifetimeMs = LIFETIME_MS): Pick<Leaf, 'notBefore' | 'notAfter'> => ({
  notBefore: notAfter - lifetimeMs,
  notAfter,
});
