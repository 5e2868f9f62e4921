// Logging in at the board of a running server, as a browser does.
import { randomBytes, scryptSync } from 'node:crypto';
import type { Reply, TestServer } from './http-server.ts';

export const PASSWORDS = { ada: 'correct horse battery', vic: 'staple staple staple' } as const;
/** What a browser sends along with what a page of the board asks for. */
export const OWN = { 'sec-fetch-site': 'same-origin' } as const;

/** As `board password` makes one, at the least cost that is taken. */
export function cheapHash(password: string): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 1024, r: 1, p: 1 });
  return `scrypt$1024$1$1$${salt.toString('base64url')}$${key.toString('base64url')}`;
}

export const BOARD_USERS = `ada:operator:${cheapHash(PASSWORDS.ada)} vic:viewer:${cheapHash(PASSWORDS.vic)}`;

const cookiesOf = ({ headers }: Reply): string =>
  [headers['set-cookie'] ?? []]
    .flat()
    .map((cookie) => cookie.split(';', 1)[0] ?? '')
    .filter((cookie) => !cookie.endsWith('='))
    .join('; ');

/** Resolves with the cookie of the session. */
export async function logInAt(server: TestServer, name: keyof typeof PASSWORDS): Promise<string> {
  const form = await server.fetch('GET', '/board/login', { as: null });
  const [, token = ''] = /name="token" value="([^"]*)"/.exec(form.text) ?? [];
  const answer = await server.fetch('POST', '/board/login', {
    as: null,
    headers: { ...OWN, cookie: cookiesOf(form), 'content-type': 'application/x-www-form-urlencoded' },
    text: new URLSearchParams({ token, name, password: PASSWORDS[name] }).toString(),
  });
  if (answer.status !== 303) throw new Error(`the login was answered with ${answer.status}`);
  return cookiesOf(answer);
}
