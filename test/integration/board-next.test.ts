// Where a login leads: straight to a page of the board, whatever a browser would make of the path.
import { expect, test } from '@jest/globals';
import { createBoardStage, PASSWORDS, tryLogIn } from './board-stage.ts';

test.each([
  ['/board/..//evil.example', '/board/'],
  ['/board/%2e%2e//evil.example', '/board/'],
  ['/board//evil.example', '/board/'],
  ['/board/../v1/docs', '/board/'],
  ['/board/./login', '/board/'],
  ['/board/queue/runcloud-domains?status=failed', '/board/queue/runcloud-domains?status=failed'],
])('a login for %s leads to %s', async (next, location) => {
  await using board = await createBoardStage();
  expect((await tryLogIn(board.app, 'ada', PASSWORDS.ada, { next })).headers.location).toBe(location);
});
