// The states of a domain, and everything that the program decides by comparing one. A new state is a list of compile errors.

/** Who must act if nothing goes on automatically. */
export const actors = ['customer', 'operator', 'runcloud', 'letsencrypt'] as const;
export type Actor = (typeof actors)[number];

export interface StateFacts {
  /** One plain sentence, for the documents and the API. */
  readonly meaning: string;
  /** The request is fulfilled. */
  readonly isReached?: true;
  /** Somebody must act. It is logged as a warning. */
  readonly needsAction?: true;
  /** Who must act if the record names nobody. */
  readonly actor?: Actor;
  /** Nothing is left of the domain. */
  readonly isGone?: true;
  /** A handshake has shown the certificate: no redeploy is pending for the domain. */
  readonly isProven?: true;
  /** A certificate that still covers the domain is watched for its expiry. */
  readonly mayBeCovered?: true;
  /** The domain waits for an order of its certificate; the metrics count its names against Let's Encrypt's limits. */
  readonly waitsForOrder?: true;
  /** A repeated request runs the job's next check now. */
  readonly checksSooner?: true;
  /** DNS is probed before RunCloud's list is read. `unless-error`: not if an error is the reason. */
  readonly dnsFirst?: 'always' | 'unless-error';
  /** The job goes on at once: it does not go to the end of the line. */
  readonly keepsTurn?: true;
  /** A domain in this state keeps it while a retry writes to RunCloud. */
  readonly staysWhileRetried?: true;
  /** The metric `live_seconds` is measured between the two. */
  readonly liveSeconds?: 'start' | 'end';
  /** The event that callbacks get: always, or only if the state names who must act. */
  readonly event?: { readonly type: `domain.${string}`; readonly when: 'always' | 'with-actor' };
  /** The event may come again for the same cause once the domain is being attached. */
  readonly eventRecurs?: true;
  /** Entering this state ends the causes of the events that recur. */
  readonly endsCause?: true;
}

const table = {
  requested: { meaning: 'Somebody requested the domain; its job has not started.', liveSeconds: 'start' },
  'waiting-for-dns': {
    meaning: 'The domain does not point to the server yet. Its DNS is checked until it does.',
    checksSooner: true,
    dnsFirst: 'always',
    event: { type: 'domain.waiting', when: 'with-actor' },
    eventRecurs: true,
  },
  attaching: {
    meaning: 'The worker is attaching the domain in RunCloud.',
    keepsTurn: true,
    endsCause: true,
  },
  attached: {
    meaning: 'RunCloud has the domain. HTTPS is not checked, or could not be checked.',
    isReached: true,
  },
  'waiting-for-certificate': {
    meaning: 'RunCloud has the domain. Its certificate has been ordered, or waits for its order.',
    checksSooner: true,
    waitsForOrder: true,
  },
  live: {
    meaning: 'RunCloud has the domain, and a TLS handshake has shown its certificate.',
    isReached: true,
    isProven: true,
    mayBeCovered: true,
    liveSeconds: 'end',
    event: { type: 'domain.live', when: 'always' },
  },
  removing: { meaning: 'Somebody requested the removal of the domain; it is not done yet.' },
  removed: {
    meaning: 'RunCloud does not have the domain any more.',
    isReached: true,
    isGone: true,
    event: { type: 'domain.removed', when: 'always' },
  },
  failed: {
    meaning: 'The job has failed. The code says why, and what to do.',
    needsAction: true,
    actor: 'operator',
    staysWhileRetried: true,
    event: { type: 'domain.failed', when: 'always' },
  },
  held: {
    meaning: 'Somebody must act: `mustAct` says who. It is checked again automatically.',
    needsAction: true,
    mayBeCovered: true,
    waitsForOrder: true,
    checksSooner: true,
    dnsFirst: 'unless-error',
    event: { type: 'domain.held', when: 'always' },
    eventRecurs: true,
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
