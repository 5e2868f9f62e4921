// Settings for tests of what happens between the queue and RunCloud's API: a domain is done when it is attached, and Let's Encrypt's
// limits (staging's) stay out of the way. What comes after is tested with DNS and TLS in test/integration/https-*.
export const UNPROVEN = { TLS_PROBE: 'off', SSL_ENVIRONMENT: 'staging', SSL_COOLDOWN: '1ms' } as const;
