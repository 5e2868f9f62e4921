// The sentences of the board, as people read them.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/server/board/messages.ts';

test('the sentences', () => {
  const {
    fieldsNotShown,
    loggedInAs,
    notRetriedLine,
    retriedAllLine,
    retriedLine,
    tryAgainIn,
    ...constants
  } = messages;
  for (const sentence of Object.values(constants)) expect(sentence).toEqual(expect.any(String));
  expect({
    ...constants,
    fieldsNotShown: fieldsNotShown(2),
    loggedInAs: loggedInAs('ada', 'operator'),
    notRetriedLine: notRetriedLine('board:ada', 'x~1', 'superseded', 'A newer request replaces it'),
    retriedAllLine: retriedAllLine('board:ada', 3, 1),
    retriedLine: retriedLine('board:ada', 'x~1', 'x~2'),
    tryAgainIn: [tryAgainIn(messages.tooManyFailures, 30), tryAgainIn(messages.tooManyFailures, 900)],
  }).toMatchSnapshot();
});
