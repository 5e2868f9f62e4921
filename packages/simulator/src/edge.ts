// What a visitor of the simulated box meets: the DNS and the web server with its certificates. Opt-in, because
// sockets and keys cost time; loaded only then.
import { createAuthority } from './authority.ts';
import type { DnsServer } from './dns.ts';
import { startDns } from './dns.ts';
import type { TlsParts, TlsServer } from './tls.ts';
import { startTls } from './tls.ts';

export interface EdgeOptions {
  /** Default 0: any free port. */
  dnsPort?: number;
  tlsPort?: number;
  /** Default 127.0.0.1. */
  host?: string;
}

export interface EdgeAddresses {
  /** 127.0.0.1:1234, as dns.Resolver.setServers takes it. UDP. */
  readonly dnsAddress: string;
  readonly dnsPort: number;
  /** Web server of every name that resolves to the box. */
  readonly tlsAddress: string;
  readonly tlsPort: number;
  /** The authority behind everything that is trusted. */
  readonly caPem: string;
}

export interface StartedEdge {
  addresses: EdgeAddresses;
  close: () => Promise<void>;
}

export async function startEdge(parts: TlsParts, options: EdgeOptions): Promise<StartedEdge> {
  const { host = '127.0.0.1', dnsPort = 0, tlsPort = 0 } = options;
  const authority = await createAuthority();
  const dns = await startDns(parts, { host, port: dnsPort });
  const tls = await startOrClose(dns, () => startTls(parts, authority, { host, port: tlsPort }));
  return {
    addresses: {
      dnsAddress: `${host}:${dns.port}`,
      dnsPort: dns.port,
      tlsAddress: `${host}:${tls.port}`,
      tlsPort: tls.port,
      caPem: authority.caPem,
    },
    close: async () => void (await Promise.all([dns.close(), tls.close()])),
  };
}

/** A port that is taken must not leave the other server behind. */
async function startOrClose(dns: DnsServer, start: () => Promise<TlsServer>): Promise<TlsServer> {
  try {
    return await start();
  } catch (error) {
    await dns.close();
    throw error;
  }
}
