// The sentences of the command line, read as one text: the only test that knows their words.
import { expect, test } from '@jest/globals';
import * as doctor from '../../src/cli/doctor/messages.ts';
import { describeListenError } from '../../src/cli/exit-codes.ts';
import * as cli from '../../src/cli/messages.ts';
import { describeJob } from '../../src/cli/output/job.ts';
import * as status from '../../src/cli/output/status-messages.ts';
import type { Actor } from '../../src/domains/states.ts';
import type { JobStatus } from '../../src/queue/operator.ts';

type Calls<M> = { readonly [K in keyof M]: readonly unknown[] };

const JOB = 'shop.example.org_1903_646~7';
const DOMAIN = 'shop.example.org';
const everyActor: readonly Actor[] = ['customer', 'operator', 'runcloud', 'letsencrypt'];

const cliCalls: Calls<typeof cli> = {
  DESCRIPTION: [cli.DESCRIPTION],
  EXIT_CODES_HELP: [cli.EXIT_CODES_HELP],
  CONFIGURATION_HELP: [cli.CONFIGURATION_HELP],
  nodeTooOld: [cli.nodeTooOld(24, '20.1.0')],
  configurationWarning: [cli.configurationWarning('RUNCLOUD_APPID is unknown')],
  auditLost: [cli.auditLost('{"what":"add"}', new Error('connection lost'))],
  commandFailed: [
    cli.commandFailed({ sentence: 'a bug', code: undefined, isRedisAway: false, isReply: false }),
    cli.commandFailed({ sentence: 'no reply', code: 'redis-unavailable', isRedisAway: true, isReply: false }),
    cli.commandFailed({ sentence: 'OOM', code: undefined, isRedisAway: false, isReply: true }),
  ],
  outputReason: ['closed', 'ENOSPC', 'EDQUOT', 'EPIPE', 'EIO', 'EBADF', 'EXYZ'].map(cli.outputReason),
  notWritten: [cli.notWritten('ENOSPC')],
  badLimit: [cli.badLimit(100)],
  BAD_IDS: [cli.BAD_IDS],
  badChoice: [cli.badChoice('--state', ['live', 'held'], 'gone')],
  badCode: [cli.badCode('no-code')],
  listOnly: [cli.listOnly('--limit')],
  DOMAIN_ONLY: [cli.DOMAIN_ONLY],
  ALL_OR_LIMIT: [cli.ALL_OR_LIMIT],
  NO_DOMAIN: [cli.NO_DOMAIN],
  unreadableFile: [cli.unreadableFile('a.txt', 'no such file')],
  rejected: [cli.rejected(DOMAIN, 'it is on another web application')],
  queued: [
    cli.queued(DOMAIN, { jobId: JOB, isRepeated: false }),
    cli.queued(DOMAIN, { jobId: JOB, isRepeated: true, remark: 'unknown fields are ignored' }),
  ],
  allDomains: [cli.allDomains(undefined), cli.allDomains(646)],
  stoppedSending: ['redis-unavailable', 'redis-no-permission'].map((code) =>
    cli.stoppedSending('Redis did not answer within 1000 ms', 3, 100, code),
  ),
  stoppedWaiting: [cli.stoppedWaiting(undefined), cli.stoppedWaiting(DOMAIN)],
  noFailedJob: [cli.noFailedJob(false), cli.noFailedJob(true)],
  moreFailed: [cli.moreFailed(100, 300), cli.moreFailed(100, undefined)],
  JOBS_OR_ALL: [cli.JOBS_OR_ALL],
  NO_JOBS: [cli.NO_JOBS],
  FILTER_NEEDS_ALL: [cli.FILTER_NEEDS_ALL],
  queuedAgain: [
    cli.queuedAgain(JOB, 'job', 'shop.example.org_1903_646~8'),
    cli.queuedAgain('msg_1', 'delivery', 'msg_1_2'),
  ],
  notRetried: [
    cli.notRetried(JOB, 'superseded', 'a newer request exists'),
    cli.notRetried(JOB, 'rejected', 'no failed job has this id'),
  ],
  fixLine: [cli.fixLine('runcloud-rejected', 'Act on the message.')],
  REASON_REQUIRED: [cli.REASON_REQUIRED],
  badDuration: [cli.badDuration('a whole number with its unit')],
  SITE_OR_APP: [cli.SITE_OR_APP],
  NO_APP: [cli.NO_APP],
  NO_SERVER: [cli.NO_SERVER],
  pausedUntil: [cli.pausedUntil(undefined), cli.pausedUntil(0)],
  paused: [cli.paused('everything', 'until resumed')],
  resumed: [cli.resumed('site 7')],
  notPaused: [cli.notPaused('site 7')],
  stillPaused: [cli.stillPaused('everything, by cli:ada: a move')],
  NO_PAUSES: [cli.NO_PAUSES],
  BAD_DELIVERY_ID: [cli.BAD_DELIVERY_ID],
  noDeliveries: [cli.noDeliveries(false), cli.noDeliveries(true)],
  moreDeliveries: [cli.moreDeliveries('msg_1')],
  NO_DELIVERY_NAMED: [cli.NO_DELIVERY_NAMED],
  URL_REMOVED: [cli.URL_REMOVED],
  BAD_ENTRY_ID: [cli.BAD_ENTRY_ID],
  noEntries: [cli.noEntries(false), cli.noEntries(true)],
  moreDomains: [cli.moreDomains(7)],
  BAD_NAME: [cli.BAD_NAME],
  tokenNotShown: [cli.tokenNotShown(cli.outputReason('closed'))],
  TOKEN_NEXT: [cli.TOKEN_NEXT],
  entryNotShown: [cli.entryNotShown(cli.outputReason('EPIPE'))],
  ENTRY_NEXT: [cli.ENTRY_NEXT],
  passwordLength: [cli.passwordLength(12, 1000)],
  passwordPrompt: [cli.passwordPrompt(12)],
  REPEAT_PASSWORD: [cli.REPEAT_PASSWORD],
  tryAgain: [cli.tryAgain(cli.passwordLength(12, 1000))],
  PASSWORDS_DIFFER: [cli.PASSWORDS_DIFFER],
  NO_PASSWORD: [cli.NO_PASSWORD],
  unreadablePassword: [cli.unreadablePassword('it is broken UTF-8 in line 1; write it as UTF-8')],
  READY_FOR_JOBS: [cli.READY_FOR_JOBS],
  readyAt: [cli.readyAt('http://127.0.0.1:8787')],
  workerStopping: [cli.workerStopping('SIGTERM')],
  serverStopping: [cli.serverStopping('SIGTERM')],
  STOPPED: [cli.STOPPED],
};

const doctorCalls: Calls<typeof doctor> = {
  ONE_AT_A_TIME: [doctor.ONE_AT_A_TIME],
  CERTIFICATE_NEEDS_TRIAL: [doctor.CERTIFICATE_NEEDS_TRIAL],
  CHECKS_ONLY: [doctor.CHECKS_ONLY],
  configurationRead: [doctor.configurationRead(true), doctor.configurationRead(false)],
  NO_TARGET: [doctor.NO_TARGET],
  fileExists: [doctor.fileExists('runcloud-survey.json')],
  NO_CREDENTIALS: [doctor.NO_CREDENTIALS],
  saved: [doctor.saved('runcloud-survey.json')],
  surveyReads: [doctor.surveyReads(646, 19)],
  CONFIRM_CALLS: [doctor.CONFIRM_CALLS],
  NOBODY_TO_CONFIRM: [doctor.NOBODY_TO_CONFIRM],
  NOTHING_SENT: [doctor.NOTHING_SENT],
  surveyStopped: [doctor.surveyStopped('RunCloud answered HTTP 429')],
  surveyRejected: [doctor.surveyRejected('RunCloud answered HTTP 401', 'Check the token.')],
  RUN_DOCTOR: [doctor.RUN_DOCTOR],
  trialWrites: [doctor.trialWrites('trial.example.net')],
  TRIAL_STOPPING: [doctor.TRIAL_STOPPING],
  trialLeft: [doctor.trialLeft('trial.example.net', 'report.journal.json')],
  TRIAL_CLEANED: [doctor.TRIAL_CLEANED],
  TRIAL_STOPPED: [doctor.TRIAL_STOPPED],
};

const counts = { waiting: 3, active: 1, delayed: 2, failed: 0, completed: 9 };
const request = { appId: 646, siteId: undefined, at: '3 h ago', by: '' };

const statusCalls: Calls<typeof status> = {
  toShownState: [
    status.toShownState('live', undefined),
    ...everyActor.map((actor) => status.toShownState('held', actor)),
  ],
  jobsLine: [status.jobsLine(counts, false), status.jobsLine(counts, true)],
  unavailableLine: [status.unavailableLine('no answer since 10:05 UTC')],
  pauseLine: [status.pauseLine('everything, by cli:ada: a move')],
  NO_DOMAINS: [status.NO_DOMAINS],
  domainsLine: [status.domainsLine([]), status.domainsLine(['7 live', '1 held'])],
  noMatch: [status.noMatch('held or failed, customer must act')],
  moreDomainsLine: [status.moreDomainsLine(50, 261)],
  certificateLine: [status.certificateLine(646, ['it was issued', 'redeploy: running'])],
  requestedWord: [
    status.requestedWord('absent', false),
    status.requestedWord('present', false),
    status.requestedWord('present', true),
  ],
  NEXT: [status.NEXT],
  stateLine: [status.stateLine(DOMAIN, 'live', '2026-11-24 10:05 UTC (15 min ago)')],
  requestLine: [
    status.requestLine({ ...request, presence: 'present', hasWww: true }),
    status.requestLine({ ...request, presence: 'present', hasWww: false, siteId: '12', by: 'by api:shop' }),
    status.requestLine({ ...request, presence: 'absent', hasWww: false }),
  ],
  reasonLine: [
    status.reasonLine('HTTPS works', undefined, '2 min ago'),
    status.reasonLine('no certificate', 'no-certificate', '2 min ago'),
  ],
  whatToDo: [status.whatToDo('Check the token.')],
  mustActLine: [
    ...everyActor.map((actor) => status.mustActLine(actor, undefined, true)),
    status.mustActLine('customer', undefined, false),
    status.mustActLine('operator', 'Check the token.', false),
  ],
  retryLine: [status.retryLine(JOB, true), status.retryLine(JOB, false)],
  dnsWarning: [status.dnsWarning('it leads elsewhere', true), status.dnsWarning('it leads elsewhere', false)],
  nextRetry: [status.nextRetry('2026-11-24 11:20 UTC (in 60 min)')],
  NO_RETRY: [status.NO_RETRY],
  nextCheck: [status.nextCheck('2026-11-24 10:25 UTC (in 5 min)', JOB)],
  jobWaitsForPause: [status.jobWaitsForPause(JOB)],
  jobLine: [status.jobLine(JOB, 'running')],
  jobMissing: [status.jobMissing(JOB)],
  checkedEvery: [status.checkedEvery('6 h')],
  certificateResult: [
    status.certificateResult('it was issued', '10 min ago', undefined),
    ...everyActor.map((actor) => status.certificateResult('it was not issued', '10 min ago', actor)),
  ],
  redeployLine: [status.redeployLine(status.WAITS_FOR_PAUSE)],
  WAITS_FOR_PAUSE: [status.WAITS_FOR_PAUSE],
  budgetLine: [status.budgetLine(['49 of 50 certificates per week (example.org)'])],
  historyHeading: [status.historyHeading(0), status.historyHeading(3)],
  checkedHeading: [status.checkedHeading('2 min ago')],
  RECORDS_TO_SET: [status.RECORDS_TO_SET],
  RECORDS_TO_REMOVE: [status.RECORDS_TO_REMOVE],
  RECORDS_EXPECTED: [status.RECORDS_EXPECTED],
  alsoRequested: [status.alsoRequested('web application 646 (removed)')],
  isWwwName: [status.isWwwName(`www.${DOMAIN}`, DOMAIN, 646)],
  unknownThere: [status.unknownThere(DOMAIN, 'web application 9', 'web application 646 (live)')],
  unknownDomain: [status.unknownDomain(DOMAIN)],
  severalApps: [status.severalApps(DOMAIN, 2)],
};

const job = { attemptsMade: 1, failedReason: undefined, result: undefined, nextRunAt: undefined } as const;
const jobs: readonly Partial<JobStatus>[] = [
  { state: 'gone' },
  { state: 'completed' },
  { state: 'completed', result: 'attached' },
  { state: 'failed' },
  { state: 'failed', failedReason: 'no-certificate: none' },
  { state: 'active' },
  { state: 'waiting' },
  { state: 'delayed', nextRunAt: 60_000 },
  { state: 'delayed', failedReason: 'web application not found.' },
];

test.each([
  ['commands', cliCalls, cli],
  ['doctor', doctorCalls, doctor],
  ['status', statusCalls, status],
] as const)('the sentences of %s', (_, calls, all) => {
  expect(Object.keys(calls).toSorted()).toEqual(Object.keys(all).toSorted());
  expect(calls).toMatchSnapshot();
});

test('what a job is doing', () => {
  expect(jobs.map((facts) => describeJob({ id: JOB, ...job, ...facts } as JobStatus, 0))).toMatchSnapshot();
});

test('why a program cannot listen', () => {
  const errors = ['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL', 'EXYZ'].map((code) =>
    describeListenError({ syscall: 'listen', code, address: '127.0.0.1', port: 80 }),
  );
  expect(errors).toMatchSnapshot();
  expect(describeListenError(new Error('something else'))).toBeUndefined();
});
