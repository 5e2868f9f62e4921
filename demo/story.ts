// The story, act by act: who asks for what, and when the next one begins. Shows requests and what customers do; the rest is the
// worker's to tell.
import { setTimeout as sleep } from 'node:timers/promises';
import type { DomainRecord } from '../src/domains/domain.ts';
import { parseDomainName } from '../src/domains/domain-name.ts';
import { hasCode } from '../src/errors.ts';
import type { Receipt } from '../src/index.ts';
import { domains, HERE } from './cast.ts';
import { delays } from './hurry.ts';
import type { LogLine } from './log-line.ts';
import type { Screen } from './screen.ts';
import type { Requester, Stage } from './stage.ts';

export interface Told {
  readonly receipts: readonly Receipt[];
}

interface Teller {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly receipts: Receipt[];
}

/** Long enough to read a heading. */
const READING_MS = 550;
/** Guards against hanging, also on a machine that has much else to do. */
const HELD_PATIENCE_MS = 60_000;
const REDIS_PATIENCE_MS = 20_000;

export async function tell(parts: Omit<Teller, 'receipts'>): Promise<Told> {
  const teller: Teller = { ...parts, receipts: [] };
  await attachments(teller);
  await withoutDns(teller);
  await removal(teller);
  await certificate(teller);
  await lateDns(teller);
  return teller;
}

async function attachments(teller: Teller): Promise<void> {
  const { first, second } = teller.stage.requesters;
  await act(teller, '1. An app server asks for a domain. It is a registered name, so www comes with it.');
  await ask(teller, first, 'add-domain', domains.apex);
  await waits(teller, domains.apex);

  await act(teller, '2. Two app servers ask for the same domain: one job carries both requests.');
  await ask(teller, first, 'add-domain', domains.twice);
  await ask(teller, second, 'add-domain', domains.twice);
  await waits(teller, domains.twice);

  await act(
    teller,
    '3. RunCloud answers 503. Is the domain there or not? The worker looks, and tries again later.',
  );
  await ask(teller, second, 'add-domain', domains.unlucky);
  await waits(teller, domains.unlucky);
}

async function withoutDns(teller: Teller): Promise<void> {
  const { first } = teller.stage.requesters;
  await act(
    teller,
    '4. Two domains lack their DNS. Attached now, they would spoil the certificate that all share.',
  );
  await ask(teller, first, 'add-domain', domains.late);
  await ask(teller, first, 'add-domain', domains.never);
  await waits(teller, domains.late);
  await waits(teller, domains.never);
}

async function removal(teller: Teller): Promise<void> {
  await act(
    teller,
    "5. A customer leaves, and RunCloud's answer gets lost. The worker looks instead of deleting twice.",
  );
  await ask(teller, teller.stage.requesters.second, 'remove-domain', domains.leaving);
  await done(teller, domains.leaving);
}

async function certificate(teller: Teller): Promise<void> {
  const { screen, stage } = teller;
  const quiet = Number(delays.SSL_REDEPLOY_DELAY_MS) / 1000;
  await act(
    teller,
    `6. Four changes need the certificate anew. After ${quiet} quiet seconds one order covers them.`,
  );
  const due = stage.narrator.next();
  if (due !== undefined && !screen.isTty) screen.entry({ actor: '', tone: 'quiet', text: `next: ${due}` });
  for (const domain of [domains.apex, domains.twice, domains.unlucky]) await done(teller, domain);
}

async function lateDns(teller: Teller): Promise<void> {
  const { screen, stage } = teller;
  await act(teller, '7. One of the two gets its DNS at last. Nobody asks again: the worker sees it.');
  const text = `${domains.late}: A record set to ${HERE.a} (the demo does it, in the simulated DNS)`;
  screen.entry({ actor: 'customer', tone: 'requester', text });
  stage.simulator.setDns(domains.late, HERE);
  const isAttached = ({ msg }: LogLine): boolean => msg.startsWith(`waiting: ${domains.late} attached`);
  await stage.worker.until(`the attachment of ${domains.late}`, isAttached);

  const deadline = Number.parseInt(delays.DNS_DEADLINE, 10);
  await act(
    teller,
    `8. The other never does: after ${deadline} s (in production 7 days) it is held, and holds nobody up.`,
  );
  const { mustAct, outcome } = await held(teller, domains.never);
  const why = `${domains.never}: held, the ${mustAct} must act: ${outcome}`;
  screen.entry({ actor: 'record', tone: 'careful', text: why });
  await done(teller, domains.late);
}

async function act({ screen, signal }: Teller, heading: string): Promise<void> {
  await sleep(READING_MS, undefined, { signal });
  screen.heading(heading);
  await sleep(READING_MS / 2, undefined, { signal });
}

type AskedJob = 'add-domain' | 'remove-domain';

async function ask(
  { stage: { narrator }, screen, receipts }: Teller,
  { name, producer }: Requester,
  job: AskedJob,
  domain: string,
): Promise<void> {
  const at = Date.now();
  await narrator.holding(async () => {
    const payload = { domain, requestedBy: name };
    const send = () => (job === 'add-domain' ? producer.addDomain(payload) : producer.removeDomain(payload));
    const receipt = await resent(send, at + REDIS_PATIENCE_MS);
    const fate = receipt.coalesced ? 'coalesced, it is on its way already' : 'accepted';
    screen.entry({ at, actor: name, tone: 'requester', text: `${job} ${domain}: ${fate}` });
    receipts.push(receipt);
  });
}

/** Where Redis did not answer within a second: what every app server does, it sends the same again. */
const resent = (send: () => Promise<Receipt>, deadline: number): Promise<Receipt> =>
  send().catch((error: unknown) => {
    if (!hasCode(error, 'redis-unavailable') || Date.now() > deadline) throw error;
    return resent(send, deadline);
  });

/** Resolves when the worker has said for the first time that it waits: for DNS, or for the certificate. */
const waits = (teller: Teller, domain: string): Promise<LogLine> => said(teller, domain, 'waiting');

const done = (teller: Teller, domain: string): Promise<LogLine> => said(teller, domain, 'done');

const said = ({ stage: { worker } }: Teller, domain: string, desired: string): Promise<LogLine> =>
  worker.until(`"${desired}" of ${domain}`, (line) => line.outcome === desired && line.domain === domain);

/** The log does not tell it: the worker says the same as before. The record does. */
async function held({ stage: { operator }, signal }: Teller, domain: string): Promise<DomainRecord> {
  for (const deadline = Date.now() + HELD_PATIENCE_MS; Date.now() < deadline; ) {
    const record = (await operator.domain(parseDomainName(domain), {}))?.record;
    if (record?.state === 'held') return record;
    await sleep(50, undefined, { signal });
  }
  throw new Error(`${domain} was not held within ${HELD_PATIENCE_MS / 1000} s.`);
}
