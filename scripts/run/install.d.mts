// Types of what tests use of install.mjs; nothing else may be imported from TypeScript.
export interface Packages {
  readonly packages: Record<
    string,
    {
      version?: string;
      integrity?: string;
      optional?: boolean;
      os?: string[];
      cpu?: string[];
      libc?: string[];
    }
  >;
}
export function missingFrom(lock: Packages, record: Packages): string[];
export function isInstalled(folder: string): boolean;
/** Installs what the folder's lock names, where it is not there yet. */
export function ensureInstalled(
  folder: string,
  wanted: { what: string; note: string; node: string },
): Promise<boolean>;
