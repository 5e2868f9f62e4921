// What can happen to a few domains, as data: requests, faults, deaths of workers, changes in RunCloud's panel. fast-check
// draws histories from here; a failing one is told in sentences.
import * as fc from 'fast-check';
import type { FaultRule } from '../../packages/simulator/src/index.ts';

export type Event =
  | {
      readonly kind: 'ask';
      readonly domain: number;
      readonly presence: 'present' | 'absent';
      readonly by: Requester;
    }
  | { readonly kind: 'redeploy'; readonly by: 'producer' | 'bare' }
  | { readonly kind: 'fault'; readonly rule: FaultRule }
  /** The next writes take effect only after their callers have given them up. */
  | { readonly kind: 'late'; readonly rule: FaultRule }
  /** RunCloud's list of domains lags behind by so much from now on. */
  | { readonly kind: 'lag'; readonly ms: number }
  /** RunCloud refuses so many calls, whatever they ask: a quota, a plan. */
  | { readonly kind: 'refusal'; readonly rule: FaultRule }
  | { readonly kind: 'pass'; readonly ms: number }
  /** Ends a worker as SIGTERM does, and starts another one. */
  | { readonly kind: 'stop'; readonly worker: number }
  /** Ends a worker as kill -9 does; nobody notices before `recover`. */
  | { readonly kind: 'kill'; readonly worker: number }
  /** So much time passes that leases and locks of the dead run out; new workers start. */
  | { readonly kind: 'recover' }
  | { readonly kind: 'panel'; readonly domain: number }
  /** A person retries everything that has failed. */
  | { readonly kind: 'retry' }
  | { readonly kind: 'sweep' };

/** `bare`: any BullMQ client; `skewed`: one whose clock is five minutes off. */
export type Requester = 'producer' | 'bulk' | 'bare' | 'skewed';
export type History = readonly Event[];

export const domainName = (number: number): string => `site-${number}.example.com`;
export const panelName = (number: number): string => `panel-${number}.example.com`;

const operation = fc.constantFrom(
  'attach-domain' as const,
  'delete-domain' as const,
  'list-domains' as const,
  'redeploy-ssl' as const,
  undefined,
);
const wireFault = fc.constantFrom(
  { kind: 'status' as const, status: 500 },
  { kind: 'status' as const, status: 502, appliesWrite: true },
  { kind: 'status' as const, status: 429, headers: { 'Retry-After': '1' } },
  { kind: 'status' as const, status: 422 },
  { kind: 'html' as const, status: 503 },
  { kind: 'html' as const, status: 200, appliesWrite: true },
  { kind: 'truncated-json' as const },
  { kind: 'slow' as const, delayMs: 30 },
  { kind: 'slow' as const, delayMs: 150, appliesWrite: false },
  { kind: 'slow' as const, delayMs: 150, appliesWrite: true },
  { kind: 'drop-before' as const },
  { kind: 'drop-after' as const },
  { kind: 'reset' as const },
  { kind: 'reset' as const, appliesWrite: true },
  { kind: 'never-answer' as const },
  { kind: 'never-answer' as const, appliesWrite: true },
);
const rule = fc.tuple(wireFault, operation, fc.integer({ min: 1, max: 2 })).map(
  ([fault, where, times]): FaultRule => ({
    ...fault,
    times,
    ...(where !== undefined && { operation: where }),
  }),
);

/** Longer than a call may take, and shorter than what our own writes are waited for. */
const late = fc
  .tuple(
    fc.integer({ min: 110, max: 250 }),
    fc.constantFrom('attach-domain' as const, 'delete-domain' as const, 'redeploy-ssl' as const),
    fc.integer({ min: 1, max: 2 }),
  )
  .map(
    ([delayMs, where, times]): FaultRule => ({
      kind: 'slow',
      appliesWrite: false,
      delayMs,
      operation: where,
      times,
    }),
  );
const refusal = fc
  .tuple(fc.constantFrom(402, 403), fc.integer({ min: 1, max: 8 }))
  .map(([status, times]): FaultRule => ({ kind: 'status', status, times }));

const domain = fc.integer({ min: 1, max: 3 });
const worker = fc.integer({ min: 0, max: 1 });
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      domain,
      presence: fc.constantFrom('present' as const, 'absent' as const),
      by: fc.constantFrom<Requester>('producer', 'producer', 'bulk', 'bare', 'skewed'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('fault' as const), rule }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 40 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('late' as const), rule: late }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lag' as const), ms: fc.integer({ min: 0, max: 200 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('refusal' as const), rule: refusal }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('recover' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('panel' as const), domain }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retry' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('sweep' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('redeploy' as const),
      by: fc.constantFrom('producer' as const, 'bare' as const),
    }),
  },
);

export const histories: fc.Arbitrary<Event[]> = fc.array(event, { minLength: 2, maxLength: 18, size: 'max' });

const verbs = { present: 'add', absent: 'remove' } as const;

function tellRule({ kind, operation: where, times = 1, status, delayMs, appliesWrite }: FaultRule): string {
  const facts = [
    status,
    delayMs && `${delayMs} ms`,
    appliesWrite !== undefined && (appliesWrite ? 'applied' : 'not applied'),
  ];
  const known = facts.filter(Boolean).join(', ');
  return `the next ${times} ${where ?? 'call'}(s) end as ${kind}${known ? ` (${known})` : ''}`;
}

function tellEvent(happening: Event): string {
  switch (happening.kind) {
    case 'ask':
      return `${happening.by}: ${verbs[happening.presence]} ${domainName(happening.domain)}`;
    case 'redeploy':
      return `${happening.by}: redeploy the certificate`;
    case 'fault':
      return `RunCloud: ${tellRule(happening.rule)}`;
    case 'late':
      return `RunCloud: ${tellRule(happening.rule)}, after the caller has given up`;
    case 'lag':
      return `RunCloud: its list lags behind by ${happening.ms} ms`;
    case 'refusal':
      return `RunCloud refuses the account: ${tellRule(happening.rule)}`;
    case 'pass':
      return `${happening.ms} ms pass`;
    case 'stop':
      return `worker ${happening.worker} is stopped, another one starts`;
    case 'kill':
      return `worker ${happening.worker} is killed`;
    case 'recover':
      return 'the leases of dead workers run out, new workers start';
    case 'panel':
      return `panel: attaches or detaches ${panelName(happening.domain)}`;
    case 'retry':
      return 'a person retries what has failed';
    case 'sweep':
      return 'a run of the reconcile loop';
  }
}

/** One numbered line per event. */
export const tellHistory = (history: History): string =>
  history.map((happening, at) => `${String(at + 1).padStart(3)}. ${tellEvent(happening)}`).join('\n');
