// The states of a domain, and what the program decides by them. No fact has a default: a new state does not compile
// until each is given. The decisions that lead to a state are elsewhere (plan.ts, https/).

/** Who must act if nothing goes on automatically. */
export const actors = ['customer', 'operator', 'runcloud', 'letsencrypt'] as const;
export type Actor = (typeof actors)[number];

/** The callbacks' events about a domain (callbacks/message.ts has them all). */
export type DomainEvent =
  | 'domain.waiting'
  | 'domain.live'
  | 'domain.held'
  | 'domain.failed'
  | 'domain.removed';

export interface StateFacts {
  /** One plain sentence, for the documents and the API. */
  readonly meaning: string;
  /** The request is fulfilled. */
  readonly isReached: boolean;
  /** Somebody must act. It is logged as a warning. */
  readonly needsAction: boolean;
  /** Who must act if the record names nobody. */
  readonly actor: Actor | undefined;
  /** Nothing is left of the domain. */
  readonly isGone: boolean;
  /** A handshake has shown the certificate: no redeploy is pending for the domain. */
  readonly isProven: boolean;
  /** A certificate that still covers the domain is watched for its expiry. */
  readonly mayBeCovered: boolean;
  /** The domain waits for an order of its certificate; the metrics count its names against Let's Encrypt's limits. */
  readonly waitsForOrder: boolean;
  /** A repeated request runs the job's next check now. */
  readonly checksSooner: boolean;
  /** DNS is probed before RunCloud's list is read. `unless-error`: not if an error is the reason. */
  readonly dnsFirst: 'never' | 'always' | 'unless-error';
  /** The job goes on at once: it does not go to the end of the line. */
  readonly keepsTurn: boolean;
  /** A domain in this state keeps it while a retry writes to RunCloud. */
  readonly staysWhileRetried: boolean;
  /** The metric `live_seconds` is measured between the two. */
  readonly liveSeconds: 'start' | 'end' | undefined;
  /** The event that callbacks get: always, or only if the state names who must act. */
  readonly event: { readonly type: DomainEvent; readonly when: 'always' | 'with-actor' } | undefined;
  /** The event may come again for the same cause once the domain is being attached. */
  readonly eventRecurs: boolean;
  /** Entering this state ends the causes of the events that recur. */
  readonly endsCause: boolean;
}

const table = {
  requested: {
    meaning: 'Somebody requested the domain; its job has not started.',
    isReached: false,
    needsAction: false,
    isGone: false,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: false,
    checksSooner: false,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: false,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'never',
    liveSeconds: 'start',
    event: undefined,
  },
  'waiting-for-dns': {
    meaning: 'The domain does not point to the server yet. Its DNS is checked until it does.',
    isReached: false,
    needsAction: false,
    isGone: false,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: false,
    checksSooner: true,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: true,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'always',
    liveSeconds: undefined,
    event: { type: 'domain.waiting', when: 'with-actor' },
  },
  attaching: {
    meaning: 'The worker is attaching the domain in RunCloud.',
    isReached: false,
    needsAction: false,
    isGone: false,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: false,
    checksSooner: false,
    keepsTurn: true,
    staysWhileRetried: false,
    eventRecurs: false,
    endsCause: true,
    actor: undefined,
    dnsFirst: 'never',
    liveSeconds: undefined,
    event: undefined,
  },
  attached: {
    meaning: 'RunCloud has the domain. HTTPS is not checked, or could not be checked.',
    isReached: true,
    needsAction: false,
    isGone: false,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: false,
    checksSooner: false,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: false,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'never',
    liveSeconds: undefined,
    event: undefined,
  },
  'waiting-for-certificate': {
    meaning: 'RunCloud has the domain. Its certificate has been ordered, or waits for its order.',
    isReached: false,
    needsAction: false,
    isGone: false,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: true,
    checksSooner: true,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: false,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'never',
    liveSeconds: undefined,
    event: undefined,
  },
  live: {
    meaning: 'RunCloud has the domain, and a TLS handshake has shown its certificate.',
    isReached: true,
    needsAction: false,
    isGone: false,
    isProven: true,
    mayBeCovered: true,
    waitsForOrder: false,
    checksSooner: false,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: false,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'never',
    liveSeconds: 'end',
    event: { type: 'domain.live', when: 'always' },
  },
  removing: {
    meaning: 'Somebody requested the removal of the domain; it is not done yet.',
    isReached: false,
    needsAction: false,
    isGone: false,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: false,
    checksSooner: false,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: false,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'never',
    liveSeconds: undefined,
    event: undefined,
  },
  removed: {
    meaning: 'RunCloud does not have the domain any more.',
    isReached: true,
    needsAction: false,
    isGone: true,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: false,
    checksSooner: false,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: false,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'never',
    liveSeconds: undefined,
    event: { type: 'domain.removed', when: 'always' },
  },
  failed: {
    meaning: 'The job has failed. The code says why, and what to do.',
    isReached: false,
    needsAction: true,
    isGone: false,
    isProven: false,
    mayBeCovered: false,
    waitsForOrder: false,
    checksSooner: false,
    keepsTurn: false,
    staysWhileRetried: true,
    eventRecurs: false,
    endsCause: false,
    actor: 'operator',
    dnsFirst: 'never',
    liveSeconds: undefined,
    event: { type: 'domain.failed', when: 'always' },
  },
  held: {
    meaning: 'Somebody must act: `mustAct` says who. It is checked again automatically.',
    isReached: false,
    needsAction: true,
    isGone: false,
    isProven: false,
    mayBeCovered: true,
    waitsForOrder: true,
    checksSooner: true,
    keepsTurn: false,
    staysWhileRetried: false,
    eventRecurs: true,
    endsCause: false,
    actor: undefined,
    dnsFirst: 'unless-error',
    liveSeconds: undefined,
    event: { type: 'domain.held', when: 'always' },
  },
} as const satisfies Record<string, StateFacts>;

/** A state of a domain. docs/guides/certificates.md has the diagram. */
export type DomainState = keyof typeof table;

export const states: Readonly<Record<DomainState, StateFacts>> = table;

/** In the order of a domain's life. */
export const stateNames = Object.keys(table) as [DomainState, ...DomainState[]];

/** The states of which `is` is true. */
export const statesThat = (is: (facts: StateFacts) => unknown): DomainState[] =>
  stateNames.filter((name) => is(states[name]));
