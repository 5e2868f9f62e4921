// Settings for tests of what happens between the queue and RunCloud's API: a domain is done when it is attached, and Let's Encrypt's
// limits (staging's) stay out of the way. What comes after is tested with DNS and TLS in test/integration/https-*.
export const UNPROVEN = {
  DNS_GATE: 'off',
  TLS_PROBE: 'off',
  SSL_INSTALL: 'letsencrypt-staging',
  SSL_COOLDOWN: '1ms',
} as const;
