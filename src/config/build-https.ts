// From checked values to the Config's parts about HTTPS. Pure; nothing here can be wrong any more.
import type { Config } from './shape.ts';
import type { Values } from './variables.ts';

export type HttpsConfig = Pick<Config, 'dns' | 'tls' | 'ssl' | 'limits' | 'watch'>;

const toSsl = (values: Values): Config['ssl'] => ({
  redeployDelayMs: values.SSL_REDEPLOY_DELAY_MS,
  deadlineMs: values.CERTIFICATE_DEADLINE,
  install: values.SSL_INSTALL,
  environment: values.SSL_ENVIRONMENT,
  challenge: values.SSL_CHALLENGE,
  dnsIntegration: values.SSL_DNS_INTEGRATION,
  reissue: values.SSL_REISSUE,
  switchToHttp01: values.SSL_SWITCH_TO_HTTP01 === 'on',
  invalidNames: values.SSL_INVALID_NAMES,
  cooldownMs: values.SSL_COOLDOWN,
});

export const toHttps = (values: Values): HttpsConfig => ({
  dns: {
    gate: values.DNS_GATE,
    servers: values.DNS_SERVERS,
    expectedIps: values.EXPECTED_IPS ?? [],
    probeUrl: values.DNS_GATE_PROBE,
    deadlineMs: values.DNS_DEADLINE,
  },
  tls: {
    probe: values.TLS_PROBE === 'on',
    address: values.TLS_PROBE_ADDRESS,
    caFile: values.TLS_CA_FILE,
  },
  ssl: toSsl(values),
  limits: {
    certificatesPerWeek: values.LE_CERTIFICATES_PER_WEEK,
    duplicatesPerWeek: values.LE_DUPLICATES_PER_WEEK,
    ordersPer3Hours: values.LE_ORDERS_PER_3H,
    failuresPerHour: values.LE_FAILURES_PER_HOUR,
  },
  watch: { intervalMs: values.MONITOR_INTERVAL, repair: values.MONITOR_REPAIR === 'on' },
});
