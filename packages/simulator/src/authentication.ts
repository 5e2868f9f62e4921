// Who may call: v3 with a Bearer token, v2 with Basic key:secret or, in a workspace, the same Bearer token
// (reference section 1). Answers 401 on every route, even those that do not exist (section 7 [S]).
import type { ApiVersion } from './context.ts';
import { PLANTED_SECRETS } from './planted-secrets.ts';
import type { Reply } from './replies.ts';

export interface Credentials {
  token: string;
  key: string;
  secret: string;
}

export const DEFAULT_CREDENTIALS: Readonly<Credentials> = {
  token: PLANTED_SECRETS.token,
  key: PLANTED_SECRETS.key,
  secret: PLANTED_SECRETS.secret,
};

/** The answer to a stranger, or null when the caller may go on. */
export function refuse(
  version: ApiVersion,
  header: string | undefined,
  credentials: Credentials,
): Reply | null {
  const [scheme = '', value = ''] = (header ?? '').trim().split(/\s+/);
  if (value === '') return unauthorized(version === 'v3' ? 'Missing API Token.' : 'Unauthenticated.');
  if (scheme.toLowerCase() === 'bearer' && value === credentials.token) return null;
  const isBasic = version === 'v2' && scheme.toLowerCase() === 'basic';
  if (isBasic && decode(value) === `${credentials.key}:${credentials.secret}`) return null;
  return unauthorized('Unauthenticated.');
}

const decode = (value: string): string => Buffer.from(value, 'base64').toString('utf8');

// "Missing API Token." was observed live (section 7 [F] MGS); the text for a wrong one is not known.
const unauthorized = (message: string): Reply => ({ status: 401, body: { message } });
