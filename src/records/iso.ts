// Times as the API and `--json` show them.

/** ISO 8601, or null for what is not known. (A server may show a certificate with any time in it.) */
export const iso = (atMs: number | undefined): string | null =>
  atMs === undefined || Number.isNaN(new Date(atMs).getTime()) ? null : new Date(atMs).toISOString();
