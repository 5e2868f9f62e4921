// The fence in Redis: who may write to RunCloud for one thing (a domain, a web application's certificate), and until when.
// fence.ts keeps the lease alive.
import type { Redis } from 'ioredis';
import { createRunScript } from '../redis/run-script.ts';
import { BEGIN_WRITE, END_WRITE, RENEW_WRITE } from './scripts.ts';

/** The right to write: who holds it, and for how long without a renewal. */
export interface Lease {
  readonly holder: string;
  readonly leaseMs: number;
  /** What is written: to a domain, or an order of a certificate. After the first three a certificate has to follow. */
  readonly kind: 'attach' | 'change' | 'detach' | 'order';
  /** Whether the domain is attached, or left by a change, with its www name. */
  readonly www?: boolean | undefined;
  /** For how long after it is sent the write may take effect, where no reply comes; 0: nobody concludes anything from it. */
  readonly lateMs?: number | undefined;
  /** For how long RunCloud's list may not show what it took; default 0. */
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
  /** To be called right before a write. `superseded`: this job is not the one that may; `busy`: another run holds the fence. */
  beginWrite(key: Key, jobId: string, lease: Lease): Promise<'held' | 'superseded' | 'busy'>;
  /**
   * False where the lease has run out, or somebody else holds the fence; with `jobId`, right before the write is sent, also
   * where a newer request has taken over.
   */
  renewWrite(key: Key, lease: Lease, jobId?: string): Promise<boolean>;
  /** To be called when the write has ended. Returns the time by Redis' clock. */
  endWrite(key: Key, lease: Lease, end: WriteEnd): Promise<number>;
}

interface WritesOptions<Key> {
  readonly redis: Redis;
  /** The record that remembers the write, the fence, and a domain's history. */
  readonly keysOf: (key: Key) => [record: string, lease: string, history?: string];
  /** The record's field that names the job which may write. */
  readonly owner: 'jobId' | 'running';
}

export function createWrites<Key>({ redis, keysOf, owner }: WritesOptions<Key>): Writes<Key> {
  const runScript = createRunScript(redis);
  const run = <T>(script: string, key: Key, args: (string | number)[]): Promise<T> =>
    runScript(script, keysOf(key) as string[], args);
  return {
    beginWrite: (key, jobId, { holder, leaseMs, kind, www }) =>
      run(BEGIN_WRITE, key, [jobId, holder, leaseMs, owner, kind, toFlag(www)]),
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
