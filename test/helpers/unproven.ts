// Settings for tests of what happens between the queue and RunCloud's API: a domain is done when it is attached, and Let's
// Encrypt's limits stop nothing. What comes after is tested with DNS and TLS in test/integration/https-*.
export const UNPROVEN = { DNS_GATE: 'off', TLS_PROBE: 'off', SSL_COOLDOWN: '1ms' } as const;

/** For the workers' Tuning. */
export const UNLIMITED = {
  certificatesPerWeek: 30_000,
  duplicatesPerWeek: 30_000,
  ordersPer3Hours: 30_000,
  failuresPerHour: 30_000,
} as const;
