// The configured URLs. A job names its URL by a hash only. So nobody who can write to Redis can
// make us send elsewhere, and the secrets in a URL stay in the configuration. Pure.
import { createHash } from 'node:crypto';

export interface Target {
  readonly id: string;
  readonly url: string;
  /** For people: without query and credentials, which may be secret. */
  readonly shown: string;
}

export function toTargets(urls: readonly string[]): ReadonlyMap<string, Target> {
  return new Map(urls.map((url) => [toTargetId(url), { id: toTargetId(url), url, shown: toShown(url) }]));
}

const toTargetId = (url: string): string => createHash('sha256').update(url).digest('hex').slice(0, 10);

export const isTargetId = (text: string): boolean => /^[\da-f]{10}$/.test(text);

function toShown(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
