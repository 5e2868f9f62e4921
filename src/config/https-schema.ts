// The entries of HTTPS: DNS, handshakes, certificates, Let's Encrypt's limits, the monitor. Part of schema.ts.
import { sslInstall } from './access-kinds.ts';
import { list, optional, variable } from './entry.ts';
import { certificateFile, duration, oneOf, onOff, wholeNumber } from './kinds.ts';
import * as network from './network-kinds.ts';

const raised = "Let's Encrypt's own limit. Set a lower one, or a higher one if Let's Encrypt raised yours.";

export const httpsSchema = {
  dns: {
    gate: variable('DNS_GATE', oneOf(['off', 'attach', 'certificate', 'auto']), {
      default: 'auto',
      description:
        'What waits for DNS. `attach`: the attachment. `certificate`: only the certificate. `auto`: `certificate` if each domain has its own certificate (advanced SSL), `attach` if all share one (basic SSL). `off`: nothing; DNS problems are only shown.',
      example: 'off',
    }),
    servers: optional('DNS_SERVERS', network.dnsServers, {
      description: 'DNS servers to query instead of the system resolver (for split-horizon DNS).',
      example: '9.9.9.9,1.1.1.1',
      unset: 'the system resolver',
    }),
    expectedIps: list('EXPECTED_IPS', network.ipAddresses, {
      description:
        "Addresses to which a domain may point besides the server's own, such as a load balancer's or a proxy's.",
      example: '203.0.113.7,2001:db8::7',
    }),
    probeUrl: optional('DNS_GATE_PROBE', network.probeUrl, {
      description:
        'For domains behind a CDN: a URL of the domain. If its reply contains the text behind `#`, the domain points to your server. In `.env` put the value in quotes, because a bare `#` begins a comment.',
      example: '"http://{domain}/runcloud-domains.txt#7f3a91"',
    }),
    deadlineMs: variable('DNS_DEADLINE', duration('1ms', '365d'), {
      default: '7d',
      description: 'How long DNS may stay wrong. Then the domain is held and checked once a day.',
    }),
  },
  tls: {
    probe: variable('TLS_PROBE', onOff, {
      default: 'on',
      description:
        'Whether a TLS handshake must prove the certificate. `off`: an attached domain counts as done.',
      example: 'off',
    }),
    address: optional('TLS_PROBE_ADDRESS', network.hostAndPort, {
      description: 'Where the handshake connects, with the domain as SNI, instead of the server itself.',
      example: '203.0.113.7:443',
      unset: "the server's address, port 443",
    }),
    caFile: optional('TLS_CA_FILE', certificateFile, {
      description:
        'A PEM file with authorities to trust besides the usual ones, for example for staging certificates.',
      example: '/etc/ssl/extra-ca.pem',
    }),
  },
  ssl: {
    redeployDelayMs: variable('SSL_REDEPLOY_DELAY', duration('1ms', '1d'), {
      default: '2m',
      description:
        'How long after the latest change the certificate is redeployed, once for all changed domains.',
    }),
    deadlineMs: variable('CERTIFICATE_DEADLINE', duration('1ms', '7d'), {
      default: '30m',
      description: 'How long after a redeploy the certificate may lack a name. Then the redeploy has failed.',
    }),
    install: variable('SSL_INSTALL', sslInstall, {
      default: 'off',
      description:
        "Whether a certificate of Let's Encrypt is installed if a web application has none (basic SSL). `-staging`: of Let's Encrypt's staging environment, which no browser trusts. `-dns:ID`: validated by `dns-01` instead of `http-01`, with the Cloudflare integration of this id in RunCloud (`externalApi`). Staging and `dns-01` also count for the certificates of advanced SSL, which are always installed.",
      example: 'letsencrypt',
      formerly: ['SSL_ENVIRONMENT', 'SSL_CHALLENGE', 'SSL_DNS_INTEGRATION'],
    }),
    reissue: variable('SSL_REISSUE', oneOf(['off', 'reinstall']), {
      default: 'off',
      description:
        'What to do if a redeploy does not add a new name to the certificate. `reinstall`: delete it and install a new one; the web application has no TLS in between.',
      example: 'reinstall',
    }),
    switchToHttp01: variable('SSL_SWITCH_TO_HTTP01', onOff, {
      default: 'off',
      description:
        "Whether a domain's own certificate (advanced SSL) switches from `dns-01` to `http-01` before an order if `dns-01` cannot renew it: its DNS is at no provider that RunCloud can write to, or its last order failed.",
      example: 'on',
    }),
    invalidNames: variable('SSL_INVALID_NAMES', oneOf(['wait', 'detach', 'ignore']), {
      default: 'wait',
      description:
        'What to do when one name with wrong DNS would make the shared certificate fail. `wait`: order nothing until its DNS is right. `detach`: detach the name; if orders fail although all DNS is right, detach the newest names one by one. `ignore`: order anyway.',
      formerly: ['SSL_POISON'],
    }),
    cooldownMs: variable('SSL_COOLDOWN', duration('0', '7d'), {
      default: '10m',
      description: 'An identical redeploy within this time after the last one does nothing.',
    }),
  },
  limits: {
    certificatesPerWeek: variable('LE_CERTIFICATES_PER_WEEK', wholeNumber(1, 5000), {
      default: '50',
      description: `Certificates with new names per registered domain in 7 days. ${raised}`,
    }),
    ordersPer3Hours: variable('LE_ORDERS_PER_3H', wholeNumber(1, 3000), {
      default: '300',
      description: `Certificates with new names in 3 hours, all together. ${raised}`,
    }),
  },
  monitor: {
    intervalMs: variable('MONITOR_INTERVAL', duration('1ms', '7d'), {
      default: '6h',
      description: 'How often each live domain is checked.',
      formerly: ['WATCH_INTERVAL'],
    }),
    repair: variable('MONITOR_REPAIR', onOff, {
      default: 'off',
      description: 'Whether the monitor requests what is missing. Otherwise it only reports it.',
      example: 'on',
      formerly: ['WATCH_REPAIR'],
    }),
  },
};
