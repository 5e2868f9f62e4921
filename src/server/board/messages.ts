// The sentences of the board: its pages, what it rejects, log lines. Pure.

export const boardTitle = 'runcloud-domains';

export const notFromBoard = 'This request did not come from a page of the board.';

export const networkRateReached = 'Too many requests without a login came from this network.';

export const loginExpired = 'Your login has expired. Reload the page.';

export const viewerOnly = 'You are logged in as a viewer. Only an operator can change something.';

export const noSuchPage = 'No such page.';

export const notOnBoard =
  'The board can only retry failed jobs. To remove or change a domain, use the API or the command line. ' +
  'To pause, use `runcloud-domains pause`.';

export const failedOnly =
  'Only failed jobs can be retried. To run a completed one again, add the domain again.';

export const dataNotJson =
  "This page cannot be shown, since a job's data is not JSON. Run `runcloud-domains failed`.";

export const unreadableRequest = 'The request cannot be read.';

export const redisTimeout = "Redis did not answer in time. The server's log has the details.";

export const unexpectedError = 'Unexpected error of the board';

export const notFoundTitle = 'Not found';

export const refusedTitle = 'Rejected';

export const notLoggedOutTitle = 'Not logged out';

export const backToBoard = 'Back to the board';

export const wrongLogin = 'The user or the password is wrong.';

export const formExpired = 'This page has expired. Please try again.';

export const tooManyFailures = 'Too many failed logins.';

export const tooManyChecks = 'Too many logins are being checked.';

export const tryAgainIn = (why: string, seconds: number): string =>
  `${why} Try again in ${seconds < 120 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}.`;

export const loginIntroduction = 'The queue and its jobs.';

export const loggedInAs = (name: string, role: string): string => `You are logged in as ${name} (${role}).`;

export const noUsersTitle = 'The board has no users yet';

export const noUsers = 'Nobody can log in, since BOARD_USERS is empty. Create an entry:';

export const noUsersNext = 'Add the entry to BOARD_USERS, then restart the server.';

export const loginLine = 'Board: logged in';

export const logoutLine = 'Board: logged out';

export const failedLoginLine = 'Board: wrong user or password';

export const lockedLoginLine = 'Board: too many failed logins, this one must wait';

export const retriedLine = (who: string, jobId: string, newJobId: string): string =>
  `${who} retried job ${jobId} as job ${newJobId}`;

export const notRetriedLine = (who: string, jobId: string, kind: string, sentence: string): string =>
  `${who} tried to retry job ${jobId}: ${kind}. ${sentence}`;

export const retriedAllLine = (who: string, retried: number, skipped: number): string =>
  `${who} retried all failed jobs: ${retried} retried, ${skipped} skipped`;

export const dataNotShown = 'The payload is not an object. It is not shown.';

export const fieldsNotShown = (count: number): string => `Unknown fields, not shown: ${count}`;
