// What `doctor` found out about RunCloud's answers, as switches of the simulator
// (packages/simulator).
import { toTable } from './output/layout.ts';

/** What the simulator answers without a switch. Only the switches that `doctor` can find out. */
export const usualAnswers: Readonly<Record<string, string>> = {
  metaShape: 'pagination',
  metaLinks: 'urls',
  defaultPerPage: '20',
  perPageRequested: 'honoured',
  perPageOver40: 'clamp',
  domainSearch: 'ignored',
  listOrder: 'oldest-first',
  logOrder: 'newest-first',
  singleObjects: 'flat',
  numbers: 'numbers',
  booleans: 'as-documented',
  errorBody: 'message',
  domainFields: 'full',
  domainStatus: 'null',
  idnReply: 'ascii',
  contentTypeOn: 'body-only',
  rateLimitHeaders: 'sent',
  sslShape: 'as-documented',
  noSsl: 'as-documented',
  nestedUncovered: 'null',
  sslRowsPaged: 'all',
  sslDates: 'sql',
  advancedStatus: '200',
  domainSslInBasicMode: '422',
  domainSslShape: 'flat',
  noDomainSsl: '404',
  createStatus: '200',
  attachReply: 'domain',
  duplicateReply: '422-message',
  deleteReply: 'domain',
  deleteUnknown: '404',
  domainSslReply: 'empty',
  firstIssuance: 'visible',
};

/**
 * Lines for people: first what differs from the simulator's usual answers, last the command that
 * sets it.
 */
export function describeSwitches(switches: Readonly<Record<string, string>>, width?: number): string[] {
  const all = Object.entries(switches);
  const isUsual = ([name, value]: [string, string]): boolean => usualAnswers[name] === value;
  const differing = all.filter((one) => !isUsual(one));
  const rows = [
    ...differing.map(([name, value]) => [name, value, 'differs']),
    ...all.filter(isUsual).map(([name, value]) => [name, value]),
  ];
  const sets = differing.map(([name, value]) => ` --set ${name}=${value}`).join('');
  return [
    'RunCloud answers like the simulator with these switches:',
    ...toTable(rows, width && width - 2).map((line) => `  ${line}`),
    `To start the simulator with them: npx runcloud-simulator${sets}`,
  ];
}
