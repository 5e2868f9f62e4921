// The story, act by act: who asks for what, and when the next one begins. Shows requests; the rest is the worker's to tell.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../src/index.ts';
import { delays, domains } from './cast.ts';
import type { LogLine } from './log-line.ts';
import type { Screen } from './screen.ts';
import type { Asker, Stage } from './stage.ts';

export interface Told {
  readonly receipts: readonly Receipt[];
}

interface Teller {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Long enough to read a heading. */
const READING_MS = 900;
const CERTIFICATE_PATIENCE_MS = 10_000;

export async function tell(teller: Teller): Promise<Told> {
  const { first, second } = teller.stage.askers;
  const act = (heading: string): Promise<void> => begin(teller, heading);
  const receipts: Receipt[] = [];
  const ask = async (asker: Asker, job: AskedJob, domain: string): Promise<void> =>
    void receipts.push(await request(teller, { asker, job, domain }));

  await act("1. An app server asks for a customer's domain. It is a registered name, so www comes with it.");
  await ask(first, 'add-domain', domains.apex);
  await changed(teller, domains.apex);

  await act(
    '2. Two app servers ask for the same domain: one job carries both requests. The list was read just now.',
  );
  await ask(first, 'add-domain', domains.twice);
  await ask(second, 'add-domain', domains.twice);
  await changed(teller, domains.twice);

  await act('3. RunCloud answers 503. Is the domain there or not? The worker looks, and tries again later.');
  await ask(second, 'add-domain', domains.unlucky);
  await changed(teller, domains.unlucky);

  await act(
    "4. A customer leaves, and RunCloud's answer gets lost. The worker looks instead of deleting twice.",
  );
  await ask(second, 'remove-domain', domains.leaving);
  await changed(teller, domains.leaving);

  const quiet = Number(delays.SSL_REDEPLOY_DELAY_MS) / 1000;
  await act(
    `5. All four changes need the certificate anew. After ${quiet} quiet seconds one order covers them.`,
  );
  await covered(teller);
  return { receipts };
}

type AskedJob = 'add-domain' | 'remove-domain';

async function begin({ screen, signal }: Teller, heading: string): Promise<void> {
  await sleep(READING_MS, undefined, { signal });
  screen.heading(heading);
  await sleep(READING_MS / 2, undefined, { signal });
}

async function request(
  { stage: { narrator }, screen }: Teller,
  { asker: { name, producer }, job, domain }: { asker: Asker; job: AskedJob; domain: string },
): Promise<Receipt> {
  const at = Date.now();
  return narrator.holding(async () => {
    const payload = { domain, requestedBy: name };
    const receipt = await (job === 'add-domain'
      ? producer.addDomain(payload)
      : producer.removeDomain(payload));
    const fate = receipt.coalesced ? 'coalesced, it is on its way already' : 'accepted';
    screen.entry({ at, actor: name, tone: 'asker', text: `${job} ${domain}: ${fate}` });
    return receipt;
  });
}

const isDone =
  (domain: string | undefined, job?: string) =>
  (line: LogLine): boolean =>
    line.outcome === 'done' && line.domain === domain && (job === undefined || line.job === job);

const changed = async ({ stage: { worker } }: Teller, domain: string): Promise<void> =>
  void (await worker.until(`the outcome of ${domain}`, isDone(domain)));

async function covered({ stage: { worker, simulator, narrator }, screen, signal }: Teller): Promise<void> {
  const due = narrator.next();
  if (due !== undefined && !screen.isTty) screen.entry({ actor: '', tone: 'quiet', text: `next: ${due}` });
  await worker.until('the outcome of redeploy-ssl', isDone(undefined, 'redeploy-ssl'));
  const deadline = Date.now() + CERTIFICATE_PATIENCE_MS;
  const isPending = (): boolean =>
    simulator.state.certificates().some(({ pendingNames }) => pendingNames.length > 0);
  while (isPending() && Date.now() < deadline) await sleep(50, undefined, { signal });
  const names = simulator.state.coveredNames();
  const issued = isPending() ? 'the certificate is still being issued; it' : 'the certificate is issued; it';
  screen.entry({ actor: 'runcloud', tone: 'quiet', text: `${issued} covers ${names.join(', ')}` });
}
