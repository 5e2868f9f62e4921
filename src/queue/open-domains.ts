// The domains with a job that may still run, on any web application: it is not over, or a person may retry it. Without its
// domain's record such a job would count as the newest request.
import type { Redis } from 'ioredis';
import { type DomainName, parseDomainName } from '../domains/domain-name.ts';

/** All but what has completed; of the lists, and of the sorted sets. */
const LISTS = ['wait', 'paused', 'active'] as const;
const SETS = ['prioritized', 'delayed', 'failed'] as const;
const READ_AT_ONCE = 500;

/** `queue`: the prefix of BullMQ's own keys (`keys.queue`). */
export async function readOpenDomains(redis: Redis, queue: string): Promise<ReadonlySet<DomainName>> {
  // One moment for all: a job may be on its way from one to another.
  const step = redis.multi();
  for (const list of LISTS) step.lrange(`${queue}${list}`, 0, -1);
  for (const set of SETS) step.zrange(`${queue}${set}`, 0, '-1');
  const ids = ((await step.exec()) ?? []).flatMap(([error, found]) => {
    if (error) throw error;
    return found as string[];
  });
  const open = new Set<DomainName>();
  for (let at = 0; at < ids.length; at += READ_AT_ONCE) {
    const page = ids.slice(at, at + READ_AT_ONCE);
    const payloads = await Promise.all(page.map((id) => redis.hget(`${queue}${id}`, 'data')));
    for (const domain of payloads.map(domainIn)) if (domain) open.add(domain);
  }
  return open;
}

/** Undefined where it names none: no handler will find one in it either. */
function domainIn(payload: string | null): DomainName | undefined {
  try {
    return parseDomainName(Object(JSON.parse(payload ?? '{}')).domain);
  } catch {
    return undefined;
  }
}
