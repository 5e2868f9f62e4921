// What add, remove and redeploy share: their flags, sending the requests, and following the jobs
// with --wait.
import type { Command } from 'commander';
import type { ProducerApp } from '../app/app.ts';
import { toShownInput } from '../domains/domain-name.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { JobName } from '../jobs/catalog.ts';
import { ElsewhereError } from '../queue/elsewhere.ts';
import { inOrder } from '../queue/in-order.ts';
import type { Receipt } from '../queue/receipt.ts';
import { toRequestEntry } from '../queue/request-entries.ts';
import { readTextFile, whyUnreadable } from '../untrusted/text-file.ts';
import type { Cli, Input } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { readText } from './input.ts';
import * as messages from './messages.ts';
import { operatorName } from './operator-name.ts';
import { say } from './output/layout.ts';
import type { Terminal } from './output/terminal.ts';
import { follow } from './wait.ts';

/** The flags. Payload fields pass as typed; the schema checks them. */
export interface EnqueueFlags {
  readonly file?: string | undefined;
  readonly site?: string | undefined;
  readonly www?: string | undefined;
  readonly redirection?: string | undefined;
  readonly server?: string | undefined;
  readonly app?: string | undefined;
  /** On this web application as well, although another has the domain. */
  readonly also?: boolean | undefined;
  readonly wait?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Called once there are jobs to follow: before that a signal ends the process at once. */
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

/** More than this is a bulk import, which runs after everything else. */
const BULK_FROM = 100;
/** The most that one entry of the audit log names. */
const RECORDED_AT_ONCE = 1000;

interface RequestCommand {
  readonly name: string;
  readonly job: JobName;
  readonly summary: string;
}

export const requestCommand = (
  program: Command,
  { terminal, input, withProducer, untilSignal, action }: Cli,
  { name, job, summary }: RequestCommand,
): Command =>
  program
    .command(name)
    .description(summary)
    .option('--server <id>', "RunCloud's id of the server (default: RUNCLOUD_SERVER_ID)")
    .option('--app <id>', "RunCloud's id of the web application (default: RUNCLOUD_APP_ID)")
    .option('--wait', 'follow the jobs until they end; exit 1 if one fails')
    .option('--json', 'print the results as JSON')
    .action(
      action((domains: string[] | string | undefined, flags: EnqueueFlags) =>
        withProducer(async (app) => {
          const named = [domains ?? []].flat();
          const listed = flags.file === undefined ? [] : await readDomains(flags.file, input);
          return enqueue(job, [...named, ...listed], flags, app, terminal, untilSignal);
        }),
      ),
    );

/** For commands that take many domains. */
export const withFile = (command: Command): Command =>
  command
    .argument('[domain...]', 'domain names')
    .option('--file <path>', 'file with one domain per line (`-`: standard input)');

export async function enqueue(
  name: JobName,
  domains: readonly string[],
  flags: EnqueueFlags,
  app: Pick<ProducerApp, 'requests' | 'operator' | 'audit'>,
  terminal: Terminal,
  untilSignal?: UntilSignal,
): Promise<ExitCode> {
  if (name !== 'redeploy-ssl' && domains.length === 0) {
    terminal.err(messages.NO_DOMAIN);
    return exitCodes.usage;
  }
  const requested = domains.length === 0 ? [undefined] : domains;
  const results = await sendAll(name, requested, flags, app);
  if (flags.json) terminal.out(JSON.stringify(results, null, 2));
  else report(results, requested.length, terminal);
  const stopped = results.find(isUnavailable);
  if (stopped) return stopped.code === 'redis-unavailable' ? exitCodes.unavailable : exitCodes.failed;
  const ended = flags.wait ? await followAll(results, flags, app, terminal, untilSignal) : exitCodes.ok;
  return results.every(({ accepted }) => accepted) ? ended : exitCodes.usage;
}

async function sendAll(
  name: JobName,
  requested: readonly (string | undefined)[],
  flags: EnqueueFlags,
  { requests, audit }: Pick<ProducerApp, 'requests' | 'audit'>,
): Promise<Result[]> {
  const by = operatorName();
  const options = { bulk: requested.length > BULK_FROM, by, refuseElsewhere: !flags.also };
  const unrecorded: Receipt[] = [];
  const record = async (): Promise<void> => {
    const recorded = unrecorded.splice(0, RECORDED_AT_ONCE);
    if (recorded.length > 0) await audit.record({ who: by, ...toRequestEntry(name, recorded) });
  };
  let isAway = false;
  const payloads = requested.map((domain) => toPayload(domain, flags));
  const results = await inOrder(payloads, async (payload): Promise<Result | undefined> => {
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
  const progress = flags.json ? { ...terminal, err: () => undefined } : terminal;
  const code = await follow(jobs, app, progress, untilSignal?.());
  const [only] = jobs.length === 1 ? jobs : [];
  if (code === exitCodes.interrupted) terminal.err(messages.stoppedWaiting(only?.domain));
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

/** A name stays whole. Anything else may be a line of any file, with a secret in it. */
const toShownDomain = (domain: string, { code }: CodedError): string =>
  code !== 'invalid-domain' && /^[\w.-]{1,253}$/.test(domain) ? domain : toShownInput(domain);

/** The commands to type, one for each web application that may be meant. */
function toCommands({ meant, applications }: ElsewhereError): string {
  const command = `${meant.name.split('-')[0]} ${meant.domain}`;
  const places = applications.map(({ serverId, appId }) =>
    serverId === meant.serverId ? `--app ${appId}` : `--server ${serverId} --app ${appId}`,
  );
  const both = meant.name === 'add-domain' ? ['--also'] : [];
  const commands = [...places, ...both].map((flags) => `\`${command} ${flags}\``).join(' or ');
  return both.length > 0 ? `${commands} (on ${meant.appId} as well)` : commands;
}

/** These errors stop all requests. */
const stopping: ReadonlySet<string | undefined> = new Set(['redis-unavailable', 'redis-no-permission']);
const isUnavailable = ({ code }: Result): boolean => stopping.has(code);

function report(results: readonly Result[], sent: number, terminal: Terminal): void {
  for (const result of results) if (!isUnavailable(result)) show(result, terminal);
  const accepted = results.filter((result) => result.accepted).length;
  const stopped = results.find(isUnavailable);
  if (stopped)
    terminal.err(messages.stoppedSending(stopped.reason ?? '', accepted, sent, stopped.code ?? ''));
}

function show(
  { domain, appId, accepted, jobId = '', coalesced, reason, remark }: Result,
  terminal: Terminal,
): void {
  const what = domain ?? messages.allDomains(appId);
  if (accepted) say(terminal, [messages.queued(what, { jobId, isRepeated: coalesced ?? false, remark })]);
  else terminal.err(messages.rejected(what, reason ?? ''));
}

/** One domain per line, without empty lines and lines that begin with #. `-` is standard input. */
async function readDomains(file: string, input: () => Input): Promise<string[]> {
  let text: string;
  try {
    text = file === '-' ? await readText(input()) : readTextFile(file);
  } catch (error) {
    throw new CodedError('invalid-payload', messages.unreadableFile(file, whyUnreadable(error)));
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
