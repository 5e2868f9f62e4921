// add, remove, redeploy: puts requests into the queue and, with --wait, follows them to their end.
import type { ProducerApp } from '../app/app.ts';
import { toShownInput } from '../domains/domain-name.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { JobName } from '../jobs/catalog.ts';
import { ElsewhereError } from '../queue/elsewhere.ts';
import { inTurns } from '../queue/in-turns.ts';
import type { Receipt } from '../queue/receipt.ts';
import { toRequestEntry } from '../queue/request-entries.ts';
import { readTextFile, whyUnreadable } from '../untrusted/text-file.ts';
import { operatorName } from './operator-name.ts';
import { say as print } from './output/layout.ts';
import { type ExitCode, exitCodes, type Terminal } from './output/terminal.ts';
import { follow } from './wait.ts';

/** What the command line says beside the domains; payload fields pass as they are and are checked by the schema. */
export interface EnqueueFlags {
  readonly file?: string | undefined;
  readonly site?: string | undefined;
  readonly www?: string | undefined;
  readonly redirection?: string | undefined;
  readonly server?: string | undefined;
  readonly app?: string | undefined;
  /** On this web application as well, where another has the domain. */
  readonly also?: boolean | undefined;
  readonly wait?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Asked once there is something to wait for: who stops before that stops at once. */
type UntilSignal = (() => Promise<unknown>) | undefined;

interface Result {
  readonly domain: string | undefined;
  readonly appId?: number | undefined;
  readonly accepted: boolean;
  readonly jobId?: string | undefined;
  readonly coalesced?: boolean | undefined;
  readonly code?: string | undefined;
  readonly reason?: string | undefined;
  readonly remark?: string | undefined;
}

/** More than so many are a bulk import, which goes after everything else. */
const BULK_FROM = 100;
/** As many as one entry of the audit log names. */
const RECORDED_AT_ONCE = 1000;

export async function enqueue(
  name: JobName,
  domains: readonly string[],
  flags: EnqueueFlags,
  app: Pick<ProducerApp, 'requests' | 'operator' | 'audit'>,
  terminal: Terminal,
  untilSignal?: UntilSignal,
): Promise<ExitCode> {
  const named = [...domains, ...(flags.file === undefined ? [] : readDomains(flags.file))];
  if (name !== 'redeploy-ssl' && named.length === 0) {
    terminal.err('no domain was given; name one or more, or a file with --file');
    return exitCodes.usage;
  }
  const desired = named.length === 0 ? [undefined] : named;
  const results = await sendAll(name, desired, flags, app);
  if (flags.json) terminal.out(JSON.stringify(results, null, 2));
  else report(name, results, desired.length, terminal);
  const stopped = results.find(isUnavailable);
  if (stopped) return stopped.code === 'redis-unavailable' ? exitCodes.unavailable : exitCodes.failed;
  const ended = flags.wait ? await followAll(results, flags, app, terminal, untilSignal) : exitCodes.ok;
  return results.every(({ accepted }) => accepted) ? ended : exitCodes.usage;
}

async function sendAll(
  name: JobName,
  desired: readonly (string | undefined)[],
  flags: EnqueueFlags,
  { requests, audit }: Pick<ProducerApp, 'requests' | 'audit'>,
): Promise<Result[]> {
  const by = operatorName();
  const options = { bulk: desired.length > BULK_FROM, by, mayAsk: !flags.also };
  const unrecorded: Receipt[] = [];
  const record = async (): Promise<void> => {
    const recorded = unrecorded.splice(0, RECORDED_AT_ONCE);
    if (recorded.length > 0) await audit.record({ who: by, ...toRequestEntry(name, recorded) });
  };
  let isAway = false;
  const payloads = desired.map((domain) => toPayload(domain, flags));
  const results = await inTurns(payloads, async (payload): Promise<Result | undefined> => {
    if (isAway) return undefined;
    const result = await send(payload.domain, requests.enqueue(name, payload, options), (receipt) =>
      unrecorded.push(receipt),
    );
    isAway ||= isUnavailable(result);
    if (unrecorded.length >= RECORDED_AT_ONCE) await record();
    return result;
  });
  await record();
  return results.filter((result) => result !== undefined);
}

async function followAll(
  results: readonly Result[],
  flags: EnqueueFlags,
  app: Pick<ProducerApp, 'operator'>,
  terminal: Terminal,
  untilSignal: UntilSignal,
): Promise<ExitCode> {
  const jobs = results.flatMap(({ jobId, domain }) => (jobId ? [{ jobId, domain }] : []));
  const code = await follow(jobs, app, flags.json ? () => undefined : terminal.err, untilSignal?.());
  const [only] = jobs.length === 1 ? jobs : [];
  if (code === exitCodes.interrupted)
    terminal.err(`Stopped waiting; the requests go on: \`status${only?.domain ? ` ${only.domain}` : ''}\``);
  return code;
}

async function send(
  domain: string | undefined,
  request: Promise<Receipt>,
  onAccepted: (receipt: Receipt) => void,
): Promise<Result> {
  try {
    const receipt = await request;
    onAccepted(receipt);
    const { unknownFields, ...known } = receipt;
    return { ...known, accepted: true };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const wayOut = error instanceof ElsewhereError ? `: ${toCommands(error)}` : '';
    const shown = domain === undefined ? undefined : toShownDomain(domain, error);
    return { domain: shown, accepted: false, code: error.code, reason: `${reasonOf(error)}${wayOut}` };
  }
}

/** A name stays whole; what is none may be a line of any file, with a secret in it. */
const toShownDomain = (domain: string, { code }: CodedError): string =>
  code !== 'invalid-domain' && /^[\w.-]{1,253}$/.test(domain) ? domain : toShownInput(domain);

/** What to type, for each web application that may be meant. */
function toCommands({ meant, applications }: ElsewhereError): string {
  const command = `${meant.name.split('-')[0]} ${meant.domain}`;
  const places = applications.map(({ serverId, appId }) =>
    serverId === meant.serverId ? `--app ${appId}` : `--server ${serverId} --app ${appId}`,
  );
  const both = meant.name === 'add-domain' ? ['--also'] : [];
  const commands = [...places, ...both].map((flags) => `\`${command} ${flags}\``).join(' or ');
  return both.length > 0 ? `${commands} (on ${meant.appId} as well)` : commands;
}

/** What stops all requests, and what a person does then. */
const whatNext: Readonly<Record<string, string>> = {
  'redis-unavailable': 'Send all again, repeating is harmless',
  'redis-no-permission': 'Then send all again',
};
const isUnavailable = ({ code }: Result): boolean => code !== undefined && code in whatNext;

function report(name: JobName, results: readonly Result[], asked: number, terminal: Terminal): void {
  for (const result of results) if (!isUnavailable(result)) say(name, result, terminal);
  const accepted = results.filter((result) => result.accepted).length;
  const unavailable = results.find(isUnavailable);
  if (unavailable)
    terminal.err(
      `${unavailable.reason}; ${accepted} of ${asked} accepted. ${whatNext[unavailable.code ?? '']}`,
    );
}

function say(
  name: JobName,
  { domain, appId, accepted, jobId, coalesced, reason, remark }: Result,
  terminal: Terminal,
): void {
  const what = domain ?? (appId === undefined ? 'all domains' : `all domains of web application ${appId}`);
  if (!accepted) terminal.err(`${what}: refused: ${reason}`);
  else {
    const accepted = coalesced ? 'on its way already' : `${name} accepted`;
    print(terminal, [`${what}: ${accepted}, job ${jobId}${remark ? ` (${remark})` : ''}`]);
  }
}

/** One domain per line; empty lines and lines that begin with # are left out. `-` is standard input. */
function readDomains(file: string): string[] {
  let text: string;
  try {
    text = readTextFile(file === '-' ? 0 : file);
  } catch (error) {
    throw new CodedError(
      'invalid-payload',
      `--file ${file} cannot be read: ${whyUnreadable(error)}; it takes a text file with one domain per line`,
    );
  }
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

function toPayload(
  domain: string | undefined,
  { site, www, redirection, server, app }: EnqueueFlags,
): { readonly domain?: string } {
  const given = {
    domain,
    siteId: site,
    serverId: server,
    appId: app,
    www: www === 'true' ? true : www === 'false' ? false : www,
    redirection,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
