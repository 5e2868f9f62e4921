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
export function recordFits(lock: Packages, record: Packages): boolean;
export function isInstalled(folder: string): boolean;
