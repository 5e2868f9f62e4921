// A receiver's addresses, by Node's own DNS resolver. The system's resolver (getaddrinfo) uses one
// of the process's four threads while a name server is silent. Four such receivers would block
// every other lookup.
import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';

const TIMEOUT_MS = 3_000;
const TRIES = 3;
const HOSTS_FILE = '/etc/hosts';

export interface LookupOptions {
  /** Default: the system's. */
  readonly servers?: readonly string[] | undefined;
  /** Tests only: for one query. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Names in the hosts file, and names that DNS does not know (a search domain, mDNS), go to the
 * system's resolver. Rejects if DNS does not answer.
 */
export function createLookup(settings: LookupOptions = {}): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, settings).then(
      (found) => {
        const usable = found.filter(({ family }) => !options.family || options.family === family);
        const [first] = usable;
        if (!first) systemLookup(hostname, options, callback as never);
        else if (options.all) callback(null, usable);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

export const lookUp = createLookup();

/** Empty: use the system's resolver. */
async function resolve(
  hostname: string,
  { servers, timeoutMs = TIMEOUT_MS }: LookupOptions,
): Promise<LookupAddress[]> {
  if (isInHostsFile(hostname)) return [];
  const resolver = new Resolver({ timeout: timeoutMs, tries: TRIES });
  if (servers) resolver.setServers(servers);
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const found = answers.flatMap((answer, i) =>
    answer.status === 'fulfilled'
      ? answer.value.map((address) => ({ address, family: i === 0 ? 4 : 6 }))
      : [],
  );
  const failed = answers.map((answer) => (answer.status === 'rejected' ? answer.reason : undefined));
  const error = failed.find((reason) => reason && !UNKNOWN.has(String(reason.code)));
  if (found.length === 0 && error) throw error;
  return found;
}

const UNKNOWN: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

function isInHostsFile(hostname: string): boolean {
  try {
    const lines = readFileSync(HOSTS_FILE, 'utf8').split('\n');
    return lines.some((line) => line.replace(/#.*/, '').split(/\s+/).slice(1).includes(hostname));
  } catch {
    return false;
  }
}
