// The board's own small pages: no script, no other file, no other host. Pure.
import { createHash } from 'node:crypto';
import { strictPolicy } from './headers.ts';
import {
  backToBoard,
  boardTitle,
  loggedInAs,
  loginIntroduction,
  noUsers,
  noUsersNext,
  noUsersTitle,
} from './messages.ts';

export interface Page {
  readonly html: string;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2733; --dim: #5b6876; --paper: #f3f5f8; --card: #fff; --line: #cfd6de; --go: #1857b8; --bad: #a1261b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ecf2; --dim: #9aa7b5; --paper: #151a21; --card: #1e252e; --line: #3a4653; --go: #7fb0ff; --bad: #ff9d92; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { width: min(24rem, calc(100vw - 2rem)); margin: 1rem; padding: 1.75rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 1.25rem; }
p { margin: 0 0 1rem; color: var(--dim); }
p.bad { color: var(--bad); }
label { display: block; margin: 0 0 1rem; }
input { display: block; width: 100%; margin-top: .25rem; padding: .5rem .625rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--dim); border-radius: .25rem; }
button { width: 100%; padding: .625rem; font: inherit; font-weight: 600; color: var(--card); background: var(--go); border: 0; border-radius: .25rem; cursor: pointer; }
:focus-visible { outline: 2px solid var(--go); outline-offset: 2px; }
code { font: .875rem/1.5 ui-monospace, monospace; color: var(--ink); }
a { color: var(--go); }
`;
const STYLE_HASH = `sha256-${createHash('sha256').update(STYLE).digest('base64')}`;

export const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const toPage = (title: string, content: string): Page => ({
  policy: strictPolicy(STYLE_HASH),
  html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)} - ${boardTitle}</title>
<style>${STYLE}</style>
</head>
<body><main>${content}</main></body>
</html>
`,
});

const hiddenField = (name: string, value: string): string =>
  `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`;

export interface LoginForm {
  /** The board's own path in the browser: `/domains/board`. */
  readonly base: string;
  readonly token: string;
  /** The page after the login. */
  readonly next: string;
  readonly problem?: string | undefined;
}

export const loginPage = ({ base, token, next, problem }: LoginForm): Page =>
  toPage(
    'Log in',
    `<h1>${boardTitle}</h1>
${problem === undefined ? `<p>${loginIntroduction}</p>` : `<p class="bad" role="alert">${escapeHtml(problem)}</p>`}
<form method="post" action="${base}/login">
${hiddenField('token', token)}${hiddenField('next', next)}
<label>User <input name="name" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" maxlength="1000" required></label>
<button type="submit">Log in</button>
</form>`,
  );

export const logoutPage = (base: string, name: string, role: string, token: string): Page =>
  toPage(
    'Log out',
    `<h1>Log out</h1>
<p>${escapeHtml(loggedInAs(name, role))} <a href="${base}/">${backToBoard}</a></p>
<form method="post" action="${base}/logout">
${hiddenField('token', token)}
<button type="submit">Log out</button>
</form>`,
  );

export const noUsersPage = (): Page =>
  toPage(
    noUsersTitle,
    `<h1>${noUsersTitle}</h1>
<p>${noUsers}</p>
<p><code>runcloud-domains board password --name NAME --role operator</code></p>
<p>${noUsersNext}</p>`,
  );

export const messagePage = (base: string, title: string, sentence: string): Page =>
  toPage(
    title,
    `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(sentence)}</p><p><a href="${base}/">${backToBoard}</a></p>`,
  );
