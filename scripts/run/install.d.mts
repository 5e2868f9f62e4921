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
