// When a certificate should have been renewed by now. Lifetimes range from six days to more than a year, so all is measured in shares
// of them. Pure.

/** When it begins and ends, in milliseconds since the epoch. */
export interface Period {
  readonly notBefore: number;
  readonly notAfter: number;
}

const DAY_MS = 86_400_000;
/** No public authority issues for longer; what lives longer is nobody's to renew so early. */
const LONGEST_MS = 398 * DAY_MS;

const lifetimeOf = ({ notBefore, notAfter }: Period): number => Math.min(notAfter - notBefore, LONGEST_MS);

/** How much of its life is left: 1 when it is new, 0 at its end, below that afterwards. */
export const shareLeft = (certificate: Period, now: number): number =>
  (certificate.notAfter - now) / lifetimeOf(certificate);

/**
 * Let's Encrypt's clients renew when a third of the lifetime is left (letsencrypt.org/docs/integration-guide), at half where it is short,
 * and check once or twice a day. So it is late when a quarter is left; if a twelfth of the lifetime is less than a day, a day after the
 * third, and with a sixth in any case.
 */
export function isLate(certificate: Period, now: number): boolean {
  const lifetime = lifetimeOf(certificate);
  const grace = Math.max(lifetime / 12, Math.min(DAY_MS, lifetime / 6));
  return certificate.notAfter - now < lifetime / 3 - grace;
}
