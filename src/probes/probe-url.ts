// The page that identifies the web application behind a CDN: its URL, and the text in it. Pure.

/** `http://{domain}/runcloud-domains-probe.txt#7f3a91`, taken apart. */
export interface ProbeUrl {
  urlFor(name: string): URL;
  /** What the page must contain. */
  readonly text: string;
}

const placeholder = '{domain}';
/** Replaces the name while the URL is checked. Nobody can have it (RFC 6761). */
const standIn = 'probe.invalid';
const quotes = '(in .env put quotes around it all: a bare # begins a comment there)';

function reasonAgainst(url: URL | null, blanks: number): string | undefined {
  if (url === null) return 'must be a URL';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'must not have a user or a password';
  if (url.hostname !== standIn || blanks !== 1)
    return `must have ${placeholder} as its whole host, and nowhere else`;
  return url.hash.length < 2 ? `must end in # and the text that the page contains ${quotes}` : undefined;
}

function decodeFragment(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return hash.slice(1);
  }
}

/** `reason`: the fault as the end of a sentence. Never repeats the text. */
export class ProbeUrlError extends Error {
  override readonly name = 'ProbeUrlError';
  readonly reason: string;
  constructor(reason: string) {
    super(`the probe URL ${reason}, as in http://${placeholder}/runcloud-domains-probe.txt#7f3a91`);
    this.reason = reason;
  }
}

/** Throws ProbeUrlError. */
export function parseProbeUrl(text: string): ProbeUrl {
  const [address = ''] = text.split('#');
  const example = URL.parse(text.trim().replace(placeholder, standIn));
  const reason = reasonAgainst(example, address.split(placeholder).length - 1);
  if (example === null || reason !== undefined) throw new ProbeUrlError(reason ?? '');
  const urlFor = (name: string): URL => {
    const url = new URL(example);
    url.hostname = name;
    url.hash = '';
    return url;
  };
  return { urlFor, text: decodeFragment(example.hash) };
}
