// What the client calls each way that an exchange can break, beside what really happened at RunCloud: an error that
// says "not done" about a write that was done would be a lie.
import { describe, expect, test } from '@jest/globals';
import {
  FAULT_KINDS,
  type FaultKind,
  type FaultRule,
  type Simulator,
} from '../../packages/simulator/src/index.ts';
import { TransientError } from '../../src/errors.ts';
import {
  AccountRefusedError,
  ForbiddenError,
  InterceptedError,
  NotFoundError,
  RejectedError,
  TooManyRequestsError,
  UnauthorizedError,
  UnknownResultError,
  UnreachableError,
  wasSent,
} from '../../src/runcloud/errors.ts';
import type { RunCloud } from '../../src/runcloud/runcloud.ts';
import { until } from '../helpers/until.ts';
import { app, bareApp, createBench, outcomeOf, versions } from './runcloud-bench.ts';

/** Long enough for a busy machine to send the request. */
const TIMEOUT_MS = 3000;
const SLOW_MS = 8000;
/** Only where the timeout is what breaks it off. */
const timeoutOf = (kind: FaultKind): number =>
  kind === 'slow' || kind === 'never-answer' ? TIMEOUT_MS : 10_000;
/** A starved machine may not have connected in time: then nothing was sent, and the call is made again. */
async function arrived(call: () => Promise<unknown>, { state }: Simulator): Promise<unknown> {
  const { requests } = state.counters;
  for (;;) {
    const outcome = await call();
    if (!(outcome instanceof UnreachableError) || state.counters.requests > requests) return outcome;
  }
}

const desired = { name: 'new.example.org', www: false, redirection: 'none' } as const;

interface Write {
  call(runcloud: RunCloud, simulator: Simulator): Promise<unknown>;
  isApplied(simulator: Simulator): boolean;
}
type WriteName =
  | 'attach-domain'
  | 'update-domain'
  | 'delete-domain'
  | 'redeploy-ssl'
  | 'install-ssl'
  | 'delete-ssl';

/** The writes, and whether each took effect; those for one domain's certificate go the same way through the client. */
const writes: Record<WriteName, Write> = {
  'attach-domain': {
    call: (runcloud) => runcloud.attachDomain(app, desired),
    isApplied: ({ state }) => state.domains().some(({ name }) => name === desired.name),
  },
  'update-domain': {
    call: async (runcloud, { state }) => {
      const { id, name } = state.domains()[40] ?? { id: 0, name: '' };
      const domain = { id, name, type: 'alias', www: false, redirection: 'none' } as const;
      return await runcloud.changeDomain(app, domain, { www: true, redirection: 'non-www' });
    },
    isApplied: ({ state }) => state.domains()[40]?.www === true,
  },
  'delete-domain': {
    call: async (runcloud, { state }) => {
      const { id, name } = state.domains()[40] ?? { id: 0, name: '' };
      const domain = { id, name, type: undefined, www: undefined, redirection: undefined };
      return await runcloud.detachDomain(app, domain);
    },
    isApplied: ({ state }) => state.domains().length === 43,
  },
  'redeploy-ssl': {
    call: (runcloud, { state }) => {
      const id = state.certificates()[0]?.id ?? 0;
      return runcloud.redeployCertificate(app, { id, method: undefined, validUntil: undefined });
    },
    isApplied: ({ state }) => state.certificateOrders === 1,
  },
  'install-ssl': {
    call: (runcloud) => runcloud.installCertificate(bareApp, { environment: 'live', challenge: 'http-01' }),
    isApplied: ({ state }) => state.certificates(bareApp.appId).length === 1,
  },
  'delete-ssl': {
    call: (runcloud, { state }) => {
      const id = state.certificates()[0]?.id ?? 0;
      return runcloud.removeCertificate(app, { id, method: undefined, validUntil: undefined });
    },
    isApplied: ({ state }) => state.certificates().length === 0,
  },
};
const writeNames = Object.keys(writes) as WriteName[];

const spoilt: Record<FaultKind, Omit<FaultRule, 'kind'>[]> = {
  status: [{}, { status: 502 }, { status: 500, appliesWrite: true }, { status: 408, appliesWrite: true }],
  html: [{}, { status: 200 }, { status: 200, appliesWrite: true }],
  firewall: [{}, { status: 503 }],
  'truncated-json': [{}],
  slow: [{ delayMs: SLOW_MS }, { delayMs: SLOW_MS, appliesWrite: false }],
  'drop-before': [{}],
  'drop-after': [{}],
  reset: [{}, { appliesWrite: true }],
  'never-answer': [{}, { appliesWrite: true }],
};

/** A page with 403 is told from a gateway's 5xx; both leave open what the call did. */
const kindOf = ({ kind, status }: FaultRule) =>
  kind === 'firewall' && status === undefined ? InterceptedError : UnknownResultError;

const rules: FaultRule[] = FAULT_KINDS.flatMap((kind) => spoilt[kind].map((rest) => ({ kind, ...rest })));

describe.each(versions)('%s: a write whose result is unknown is never called anything else', (version) => {
  // All in one block: within it they wait side by side.
  const exchanges = writeNames.flatMap((operation) =>
    rules.map((rule) => [operation, JSON.stringify(rule), rule] as const),
  );

  test.concurrent.each(exchanges)('%s %s', async (operation, _, rule) => {
    await using bench = await createBench(version, { variants: { changeOnV2: 'as-v3' } });
    const { simulator } = bench;
    simulator.addFault({ ...rule, operation });
    const write = writes[operation];
    const client = bench.client({ timeoutMs: timeoutOf(rule.kind) });
    const error = await arrived(() => outcomeOf(write.call(client, simulator)), simulator);
    expect(error).toBeInstanceOf(kindOf(rule));
    expect(error).toBeInstanceOf(TransientError);
    expect(wasSent(error)).toBe(true);
    // One request, no hidden retry; and both truths occur under this one name, which is why it is "unknown".
    await until(() => simulator.state.counters.requests > 0, 'the request has arrived');
    expect(simulator.state.counters.requests).toBe(1);
    expect(simulator.state.calls[0]?.writeApplied).toBe(write.isApplied(simulator));
  });

  test.concurrent.each(writeNames)('%s: slow, but in time, is a success', async (operation) => {
    await using bench = await createBench(version, { variants: { changeOnV2: 'as-v3' } });
    bench.simulator.addFault({ kind: 'slow', delayMs: 100, operation });
    const outcome = await outcomeOf(writes[operation].call(bench.runcloud, bench.simulator));
    expect(outcome).not.toBeInstanceOf(Error);
    expect(writes[operation].isApplied(bench.simulator)).toBe(true);
  });

  test.each<[number, unknown]>([
    [302, InterceptedError],
    [400, RejectedError],
    [401, UnauthorizedError],
    [402, AccountRefusedError],
    [403, ForbiddenError],
    [404, NotFoundError],
    [409, RejectedError],
    [418, RejectedError],
    [422, RejectedError],
    [429, TooManyRequestsError],
  ])('a refusal with %i is called by its name, and nothing was written', async (status, kind) => {
    await using bench = await createBench(version);
    bench.simulator.addFault({ kind: 'status', status, operation: 'attach-domain' });
    const error = await outcomeOf(bench.runcloud.attachDomain(app, desired));
    expect(error).toBeInstanceOf(kind);
    expect(writes['attach-domain'].isApplied(bench.simulator)).toBe(false);
  });

  test.each([401, 402, 403, 404, 409, 422])(
    'a page of HTML with %i comes from something in front of RunCloud: tried again, whatever was asked',
    async (status) => {
      await using bench = await createBench(version);
      bench.simulator.addFault({ kind: 'html', status, times: 'always' });
      const calls: (() => Promise<unknown>)[] = [
        () => bench.runcloud.attachDomain(app, desired),
        () => bench.runcloud.listDomains(app),
        () => bench.runcloud.ping(),
      ];
      for (const call of calls) {
        const error = await outcomeOf(call());
        expect(error).toBeInstanceOf(InterceptedError);
        expect(error).toBeInstanceOf(TransientError);
        expect(wasSent(error)).toBe(true);
      }
    },
  );

  test('a 403 for one route is told from one for the whole account by a ping, which all who ask share', async () => {
    await using bench = await createBench(version);
    bench.simulator.addFault({ kind: 'status', status: 403, operation: 'attach-domain', times: 4 });
    const four = () => Promise.all([1, 2].map(() => outcomeOf(bench.runcloud.attachDomain(app, desired))));
    for (const error of await four()) expect(error).toBeInstanceOf(ForbiddenError);
    expect(bench.simulator.state.calls.filter(({ operation }) => operation === 'ping')).not.toHaveLength(0);
    bench.simulator.addFault({ kind: 'status', status: 403, operation: 'ping', times: 'always' });
    for (const error of await four()) expect(error).toBeInstanceOf(AccountRefusedError);
  });
});

describe.each(versions)('%s: readings and access', (version) => {
  const readings: [string, (runcloud: RunCloud) => Promise<unknown>][] = [
    ['ping', (runcloud) => runcloud.ping()],
    ['getServer', (runcloud) => runcloud.getServer(1903)],
    ['listDomains', (runcloud) => runcloud.listDomains(app)],
    ['getSslMode', (runcloud) => runcloud.getSslMode(app)],
    ['getCertificate', (runcloud) => runcloud.getCertificate(app)],
    ['listCertificates', (runcloud) => runcloud.listCertificates(app)],
    ['readLog', (runcloud) => runcloud.readLog(app, 0)],
  ];
  const broken = rules.filter(({ kind, appliesWrite }) => kind !== 'slow' || appliesWrite !== false);

  const told = '%s: every fault is told as what it is, never a made-up answer';
  test.concurrent.each(readings)(told, async (_, call) => {
    const playOne = async (rule: FaultRule): Promise<void> => {
      await using bench = await createBench(version);
      bench.simulator.addFault(rule);
      const client = bench.client({ timeoutMs: timeoutOf(rule.kind) });
      const outcome = await arrived(() => outcomeOf(call(client)), bench.simulator);
      expect(outcome).toBeInstanceOf(kindOf(rule));
    };
    await Promise.all(broken.map(playOne));
  });

  test('a fault on the second page fails the whole list', async () => {
    await using bench = await createBench(version);
    bench.simulator.addFault({ kind: 'html', operation: 'list-domains', skip: 1 });
    expect(await outcomeOf(bench.runcloud.listDomains(app))).toBeInstanceOf(UnknownResultError);
  });

  test('wrong credentials are refused on every route', async () => {
    await using bench = await createBench(version);
    const wrong = bench.client({ credentials: { kind: 'token', token: 'not-the-token' } });
    for (const [, call] of readings) expect(await outcomeOf(call(wrong))).toBeInstanceOf(UnauthorizedError);
    expect(await outcomeOf(wrong.attachDomain(app, desired))).toBeInstanceOf(UnauthorizedError);
  });

  test('a simulator that is gone was not reached', async () => {
    await using bench = await createBench(version);
    await bench.simulator.close();
    const error = await outcomeOf(bench.runcloud.attachDomain(app, desired));
    expect(error).toBeInstanceOf(UnreachableError);
    expect(wasSent(error)).toBe(false);
  });
});
