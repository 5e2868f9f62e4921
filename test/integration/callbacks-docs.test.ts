// The receiver in docs/guides/callbacks.md, run as it is, accepts what we send and refuses other requests.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { send } from '../../src/callbacks/send.ts';
import { until } from '../helpers/until.ts';
import { NEXT_SECRET, SECRET } from '../helpers/webhook-receiver.ts';

test('the example for Node verifies what we send, and knows a repetition', async () => {
  const text = readFileSync('docs/guides/callbacks.md', 'utf8');
  const code = /<!-- node:start -->\n```js\n(.*?)```/s.exec(text)?.[1] ?? '';
  const received = `${code}\nserver.on('listening', () => console.log('port', server.address().port));`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', received], {
    env: { PATH: process.env.PATH, PORT: '0', WEBHOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    const port = await until(() => /port (\d+)/.exec(out)?.[1], 'the receiver listens');
    const body = JSON.stringify({
      type: 'domain.live',
      data: { domain: 'shop.example.org', reason: 'live' },
    });
    const one = {
      url: `http://127.0.0.1:${port}/`,
      messageId: 'msg_1',
      body,
      signal: new AbortController().signal,
    };
    expect(await send({ ...one, secrets: [NEXT_SECRET, SECRET] })).toMatchObject({ status: 204 });
    expect(await send({ ...one, secrets: [SECRET] })).toMatchObject({ status: 204 });
    expect(await send({ ...one, secrets: [NEXT_SECRET] })).toMatchObject({ status: 401 });
    expect(out.match(/domain\.live shop\.example\.org live/g)).toHaveLength(1);
  } finally {
    child.kill('SIGKILL');
  }
});
