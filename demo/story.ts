// The story, act by act: who requests what, and when the next act begins. It shows requests and what customers do. The worker's
// log shows the rest.
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

export interface Played {
  readonly receipts: readonly Receipt[];
}

interface Play {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly receipts: Receipt[];
}

/** Long enough to read a heading. */
const READING_MS = 550;
/** Limits against hanging, with room for a busy machine. */
const HELD_TIMEOUT_MS = 60_000;
const REDIS_TIMEOUT_MS = 20_000;

export async function play(parts: Omit<Play, 'receipts'>): Promise<Played> {
  const teller: Play = { ...parts, receipts: [] };
  await attachments(teller);
  await withoutDns(teller);
  await removal(teller);
  await certificate(teller);
  await lateDns(teller);
  return teller;
}

async function attachments(teller: Play): Promise<void> {
  const { first, second } = teller.stage.requesters;
  await act(teller, '1. An app server adds a domain. It is a registered name, so its www name comes along.');
  await request(teller, first, 'add-domain', domains.apex);
  await waits(teller, domains.apex);

  await act(teller, '2. Two app servers add the same domain: one job covers both requests.');
  await request(teller, first, 'add-domain', domains.twice);
  await request(teller, second, 'add-domain', domains.twice);
  await waits(teller, domains.twice);

  await act(
    teller,
    '3. RunCloud answers 503. Is the domain attached or not? The worker checks, then retries.',
  );
  await request(teller, second, 'add-domain', domains.unlucky);
  await waits(teller, domains.unlucky);
}

async function withoutDns(teller: Play): Promise<void> {
  const { first } = teller.stage.requesters;
  await act(teller, '4. Two domains have no DNS yet. Attached now, they would break the shared certificate.');
  await request(teller, first, 'add-domain', domains.late);
  await request(teller, first, 'add-domain', domains.never);
  await waits(teller, domains.late);
  await waits(teller, domains.never);
}

async function removal(teller: Play): Promise<void> {
  await act(
    teller,
    "5. A customer leaves, and RunCloud's answer gets lost. The worker checks before it deletes again.",
  );
  await request(teller, teller.stage.requesters.second, 'remove-domain', domains.leaving);
  await done(teller, domains.leaving);
}

async function certificate(teller: Play): Promise<void> {
  const { screen, stage } = teller;
  const quiet = Number.parseInt(delays.SSL_REDEPLOY_DELAY, 10);
  await act(
    teller,
    `6. Four changes need a new certificate. After ${quiet} quiet seconds one order covers them all.`,
  );
  const due = stage.narrator.next();
  if (due !== undefined && !screen.isTty) screen.entry({ actor: '', tone: 'quiet', text: `next: ${due}` });
  for (const domain of [domains.apex, domains.twice, domains.unlucky]) await done(teller, domain);
}

async function lateDns(teller: Play): Promise<void> {
  const { screen, stage } = teller;
  await act(teller, '7. One of the two gets its DNS. No second request is needed: the worker notices.');
  const text = `${domains.late}: A record set to ${HERE.a} (by the demo, in the simulated DNS)`;
  screen.entry({ actor: 'customer', tone: 'requester', text });
  stage.simulator.setDns(domains.late, HERE);
  const isAttached = ({ domain, state }: LogLine): boolean => domain === domains.late && state === 'attached';
  await stage.worker.until(`the attachment of ${domains.late}`, isAttached);

  const deadline = Number.parseInt(delays.DNS_DEADLINE, 10);
  await act(
    teller,
    `8. The other never does. After ${deadline} s (7 days in production) it is held, and delays nobody.`,
  );
  const { mustAct, outcome } = await held(teller, domains.never);
  const why = `${domains.never}: held, the ${mustAct} must act: ${outcome}`;
  screen.entry({ actor: 'record', tone: 'careful', text: why });
  await done(teller, domains.late);
}

async function act({ screen, signal }: Play, heading: string): Promise<void> {
  await sleep(READING_MS, undefined, { signal });
  screen.heading(heading);
  await sleep(READING_MS / 2, undefined, { signal });
}

type RequestedJob = 'add-domain' | 'remove-domain';

async function request(
  { stage: { narrator }, screen, receipts }: Play,
  { name, producer }: Requester,
  job: RequestedJob,
  domain: string,
): Promise<void> {
  const at = Date.now();
  await narrator.delaying(async () => {
    const payload = { domain, requestedBy: name };
    const send = () => (job === 'add-domain' ? producer.addDomain(payload) : producer.removeDomain(payload));
    const receipt = await resent(send, at + REDIS_TIMEOUT_MS);
    const answer = receipt.coalesced ? 'coalesced, already queued' : 'accepted';
    screen.entry({ at, actor: name, tone: 'requester', text: `${job} ${domain}: ${answer}` });
    receipts.push(receipt);
  });
}

/** If Redis did not answer within a second, the request is sent again, as every app server does. */
const resent = (send: () => Promise<Receipt>, deadline: number): Promise<Receipt> =>
  send().catch((error: unknown) => {
    if (!hasCode(error, 'redis-unavailable') || Date.now() > deadline) throw error;
    return resent(send, deadline);
  });

/** Resolves when the worker has logged for the first time that it waits: for DNS, or for the certificate. */
const waits = (teller: Play, domain: string): Promise<LogLine> => logged(teller, domain, 'waiting');

const done = (teller: Play, domain: string): Promise<LogLine> => logged(teller, domain, 'done');

const logged = ({ stage: { worker } }: Play, domain: string, outcome: string): Promise<LogLine> =>
  worker.until(`"${outcome}" of ${domain}`, (line) => line.outcome === outcome && line.domain === domain);

/** The log repeats the same line; the record has the new state. */
async function held({ stage: { operator }, signal }: Play, domain: string): Promise<DomainRecord> {
  for (const deadline = Date.now() + HELD_TIMEOUT_MS; Date.now() < deadline; ) {
    const record = (await operator.domain(parseDomainName(domain), {}))?.record;
    if (record?.state === 'held') return record;
    await sleep(50, undefined, { signal });
  }
  throw new Error(`${domain} was not held within ${HELD_TIMEOUT_MS / 1000} s.`);
}
