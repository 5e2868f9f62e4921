// The variables of HTTPS: when DNS counts as right, how a certificate is proven, what may be ordered of Let's Encrypt, and
// the watch over what is live. They are part of the table in variables.ts.
import * as kinds from './kinds.ts';
import * as network from './network-kinds.ts';
import { optional, withDefault } from './variable.ts';

const dnsVariables = {
  DNS_GATE: withDefault(kinds.oneOf(kinds.dnsGates), 'off', {
    description:
      'What waits for DNS. `off`: attach and redeploy without waiting, what DNS says is only shown. `attach`: wait before attaching. `certificate`: attach at once, ask for the certificate when DNS is right. `auto`: `certificate` where each domain has a certificate of its own (advanced SSL), `attach` where all share one (basic SSL).',
    example: 'auto',
    production: 'auto',
  }),
  DNS_SERVERS: optional(
    network.dnsServers,
    {
      description: "Who is asked about DNS, where the system's resolver does not see what the internet sees.",
      example: '9.9.9.9,1.1.1.1',
    },
    "the system's",
  ),
  EXPECTED_IPS: optional(network.ipAddresses, {
    description:
      "Addresses besides the server's own to which a domain may lead, such as a load balancer's or a proxy's.",
    example: '203.0.113.7,2001:db8::7',
  }),
  DNS_GATE_PROBE: optional(network.probeUrl, {
    description:
      'What to ask of a domain whose addresses are not ours (a CDN): where the reply to this address holds the text behind `#`, the domain leads to us. In `.env` put quotes around it: a bare `#` begins a comment there.',
    example: '"http://{domain}/runcloud-domains.txt#7f3a91"',
  }),
  DNS_DEADLINE: withDefault(kinds.duration('1ms', '365d'), '7d', {
    description:
      'How long DNS may take to be right; after this the domain is held, and looked at once a day.',
    example: '7d',
  }),
};

const tlsVariables = {
  TLS_PROBE: withDefault(kinds.oneOf(kinds.switches), 'on', {
    description:
      'Whether a handshake has to prove the certificate. `off`: a domain counts as done when it is attached.',
    example: 'off',
  }),
  TLS_PROBE_ADDRESS: optional(
    network.hostAndPort,
    {
      description: 'Where the handshake goes, with the domain as SNI, if not to the server itself.',
      example: '203.0.113.7:443',
    },
    "the server's address, port 443",
  ),
  TLS_CA_FILE: optional(kinds.filePath, {
    description:
      'A PEM file of certificate authorities to trust besides the usual ones, as for staging certificates.',
    example: '/etc/ssl/extra-ca.pem',
  }),
  CERTIFICATE_DEADLINE: withDefault(kinds.duration('1ms', '7d'), '30m', {
    description: 'How long after a redeploy a name may stay uncovered before the redeploy counts as failed.',
    example: '30m',
  }),
};

const sslVariables = {
  SSL_INSTALL: withDefault(kinds.oneOf(kinds.sslInstalls), 'off', {
    description:
      "What happens where a web application has no certificate at all: nothing, or one of Let's Encrypt is installed.",
    example: 'letsencrypt',
  }),
  SSL_ENVIRONMENT: withDefault(kinds.oneOf(kinds.sslEnvironments), 'live', {
    description:
      "Let's Encrypt's environment for certificates that are installed; no browser trusts one of `staging`.",
    example: 'staging',
  }),
  SSL_CHALLENGE: withDefault(kinds.oneOf(kinds.sslChallenges), 'http-01', {
    description:
      "How Let's Encrypt checks the names of certificates that are installed; `dns-01` needs SSL_DNS_INTEGRATION.",
    example: 'http-01',
  }),
  SSL_DNS_INTEGRATION: optional(kinds.numericId, {
    description:
      "RunCloud's id of the Cloudflare integration (`externalApi`) by which `dns-01` sets its records.",
    example: '17',
  }),
  SSL_REISSUE: withDefault(kinds.oneOf(kinds.sslReissues), 'off', {
    description:
      'What may be done where a redeploy does not bring a new name into the certificate. `reinstall`: delete it and install it anew; the web application has no TLS in between.',
    example: 'reinstall',
  }),
  SSL_SWITCH_TO_HTTP01: withDefault(kinds.oneOf(kinds.switches), 'off', {
    description:
      'Whether a certificate of one domain (advanced SSL) that `dns-01` can renew no more is switched to `http-01` before it is ordered: where its DNS is served by none of the providers that RunCloud can write to, or its last order failed.',
    example: 'on',
  }),
  SSL_INVALID_NAMES: withDefault(kinds.oneOf(kinds.sslPoisons), 'hold', {
    description:
      'What happens where a name whose DNS is wrong would spoil the certificate that all share. `hold`: nothing is ordered until it is right. `detach`: the name is taken off; and where orders fail although all DNS looks right, the newest names one by one. `proceed`: the order is placed all the same.',
    example: 'hold',
  }),
  SSL_COOLDOWN: withDefault(kinds.duration('0s', '7d'), '10m', {
    description: 'An identical redeploy within this time of the last one does nothing.',
    example: '10m',
  }),
};

const own = "Let's Encrypt's own number; may be set lower";
const raised = `${own}, or higher where it has raised the limit for the account.`;

const limitVariables = {
  LE_CERTIFICATES_PER_WEEK: withDefault(kinds.wholeNumber(1, 5000), '50', {
    description: `Certificates with new names that are ordered per registered domain in 7 days. ${raised}`,
    example: '50',
  }),
  LE_DUPLICATES_PER_WEEK: withDefault(kinds.wholeNumber(1, 5), '5', {
    description: `Certificates with exactly the same names that are ordered in 7 days. ${own}.`,
    example: '5',
  }),
  LE_ORDERS_PER_3H: withDefault(kinds.wholeNumber(1, 3000), '300', {
    description: `Certificates with new names that are ordered in 3 hours, all together. ${raised}`,
    example: '300',
  }),
  LE_FAILURES_PER_HOUR: withDefault(kinds.wholeNumber(1, 5), '5', {
    description: `Failed validations of one name in an hour, after which no order holds it. ${own}.`,
    example: '5',
  }),
};

const watchVariables = {
  MONITOR_INTERVAL: withDefault(kinds.duration('1ms', '7d'), '6h', {
    description: 'How often each live domain is looked at.',
    example: '6h',
  }),
  MONITOR_REPAIR: withDefault(kinds.oneOf(kinds.switches), 'off', {
    description: 'Whether the watch may ask again for what is missing; otherwise it only reports.',
    example: 'on',
  }),
};

export const httpsVariables = {
  ...dnsVariables,
  ...tlsVariables,
  ...sslVariables,
  ...limitVariables,
  ...watchVariables,
};
