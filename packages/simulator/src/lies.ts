// What the TLS endpoint can show for a name instead of the truth, and the check of such a lie.
import { readBoolean, readObject, readWhole, rejectUnknownFields } from './control-fields.ts';

/**
 * Shown for a name whatever RunCloud's certificates say: a leaf for the names of its certificate, or for this
 * one name where no certificate covers it, spoilt as the lie says. May be combined.
 */
export interface Lie {
  /** Ended when yesterday began, by the simulator's clock. */
  expired?: true;
  /** A leaf for `wrong-name.example`. */
  wrongName?: true;
  /** Signed by nobody that `caPem` knows. */
  untrusted?: true;
  /** The connection is taken, the handshake never answered. */
  silent?: true;
  /** End of validity, in milliseconds since the epoch. */
  notAfter?: number;
}

const FLAGS = ['expired', 'wrongName', 'untrusted', 'silent'] as const;

/** Throws a ControlError that names the first bad field; null: nothing to lie about. */
export function parseLie(input: unknown): Lie | null {
  const body = readObject(input ?? {}, 'lie');
  rejectUnknownFields(body, [...FLAGS, 'notAfter']);
  const lie: Lie = {};
  for (const flag of FLAGS) if (readBoolean(body, flag) === true) lie[flag] = true;
  const notAfter = readWhole(body, 'notAfter');
  if (notAfter !== undefined) lie.notAfter = notAfter;
  return Object.keys(lie).length === 0 ? null : lie;
}
