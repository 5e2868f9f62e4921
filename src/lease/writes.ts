// The lease in Redis: who may write to RunCloud for one thing (a domain, a web application's certificate), and until when.
// lease.ts renews it.
import type { Redis } from 'ioredis';
import { createRunScript } from '../redis/run-script.ts';
import { beginWrite, END_WRITE, RENEW_WRITE } from './scripts.ts';

/** The right to write: who has it, and for how long without a renewal. */
export interface Lease {
  readonly holder: string;
  readonly leaseMs: number;
  /** What is written: to a domain, or the order of a certificate. After the first three a certificate has to follow. */
  readonly kind: 'attach' | 'change' | 'detach' | 'order';
  /** Whether the domain is attached, or left by a change, with its www name. */
  readonly www?: boolean | undefined;
  /** How long the write may still take effect after it was sent, if no reply comes; 0: nobody concludes anything from it. */
  readonly lateMs?: number | undefined;
  /** How long RunCloud's list may not show what it took; default 0. */
  readonly lagMs?: number | undefined;
}

/** How a write has ended. */
export interface WriteEnd {
  /** `done`: RunCloud took it. `refused`: it had no effect, for certain. `unknown`: it may have one yet. */
  readonly fate: 'done' | 'refused' | 'unknown';
  /** RunCloud's id of what was attached. */
  readonly attachedId?: number | undefined;
}

export interface Writes<Key> {
  /** Call right before a write. `superseded`: another job may write, not this one. `busy`: another run has the lease. */
  beginWrite(key: Key, jobId: string, lease: Lease): Promise<'acquired' | 'superseded' | 'busy'>;
  /**
   * False if the lease has run out, or another run has it. With `jobId`, right before the write is sent, also false if a newer
   * request has taken over.
   */
  renewWrite(key: Key, lease: Lease, jobId?: string): Promise<boolean>;
  /** Call when the write has ended. Returns the time by Redis' clock. */
  endWrite(key: Key, lease: Lease, end: WriteEnd): Promise<number>;
}

interface WritesOptions<Key> {
  readonly redis: Redis;
  /** The record that remembers the write, the lease, and a domain's history. */
  readonly keysOf: (key: Key) => [record: string, lease: string, history?: string];
  /** The record's field that names the job which may write. */
  readonly owner: 'jobId' | 'running';
  /** Lua: what else is noted when a write begins, see `beginWrite`. */
  readonly began?: string;
}

export function createWrites<Key>({ redis, keysOf, owner, began = '' }: WritesOptions<Key>): Writes<Key> {
  const runScript = createRunScript(redis);
  const begin = beginWrite(began);
  const run = <T>(script: string, key: Key, args: (string | number)[]): Promise<T> =>
    runScript(script, keysOf(key) as string[], args);
  return {
    beginWrite: (key, jobId, { holder, leaseMs, kind, www }) =>
      run(begin, key, [jobId, holder, leaseMs, owner, kind, toFlag(www)]),
    async renewWrite(key, { holder, leaseMs, kind, lateMs = 0 }, jobId) {
      const args = [holder, leaseMs, jobId ?? '', owner, kind, lateMs];
      return (await run<number>(RENEW_WRITE, key, args)) === 1;
    },
    endWrite: (key, { holder, kind, www, lagMs = 0 }, { fate, attachedId }) => {
      const changed = fate === 'done' && kind === 'change' ? toFlag(www) : '';
      return run(END_WRITE, key, [holder, attachedId ?? '', changed, fate, kind, lagMs]);
    },
  };
}

const toFlag = (flag: boolean | undefined): string => (flag === undefined ? '' : flag ? '1' : '0');
