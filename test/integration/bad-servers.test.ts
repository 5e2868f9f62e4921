// Every call to the outside ends by its own deadline, whatever answers there, and a reply that is not whole says nothing. The bounds
// are a promise (a call that never settles keeps a worker's slot), and wide: what hangs is ended by the test's own limit.
import { describe, expect, test } from '@jest/globals';
import type { CodedError } from '../../src/errors.ts';
import { createReachProbe } from '../../src/probes/http.ts';
import { parseProbeUrl } from '../../src/probes/probe-url.ts';
import { createTlsProbe } from '../../src/probes/tls.ts';
import { createRunCloud } from '../../src/runcloud/client.ts';
import { createRawCalls } from '../../src/runcloud/raw-calls.ts';
import { misdeeds, startBadServer } from '../helpers/bad-servers.ts';
import { failureOf } from '../unit/runcloud-scripted-server.ts';

const DEADLINE_MS = 300;
const name = 'shop.example.org';

describe.each(misdeeds)('a server that %s', (_what, misdeed) => {
  test.concurrent.each(['http', 'https'])('could not be checked by the probe page (%s)', async (scheme) => {
    await using server = await startBadServer(misdeed);
    const url = parseProbeUrl(`${scheme}://{domain}:${server.port}/probe.txt#7f3a91`);
    const probe = createReachProbe(url, { reachPrivate: true, timeoutMs: DEADLINE_MS });
    expect(await probe.reaches(name, ['127.0.0.1'])).toEqual({ unchecked: expect.stringMatching(/./) });
    // None at all where a starved machine did not get so far in time.
    expect(server.asked()).toBeLessThanOrEqual(1);
  });

  test.concurrent('shows no certificate', async () => {
    await using server = await startBadServer(misdeed);
    const probe = createTlsProbe({ timeoutMs: DEADLINE_MS });
    const finding = await probe.check(name, { host: '127.0.0.1', port: server.port });
    expect(finding).toMatchObject({ verdict: 'unknown' });
  });

  test.concurrent('leaves a call to RunCloud without a known result', async () => {
    await using server = await startBadServer(misdeed);
    const url = `http://127.0.0.1:${server.port}/api/v3`;
    const credentials = { kind: 'token', token: 'token-4f9c2a77d1' } as const;
    const runcloud = createRunCloud({ url, version: 'v3', credentials, timeoutMs: DEADLINE_MS });
    const write = runcloud.attachDomain(
      { serverId: 1903, appId: 646 },
      { name, www: false, redirection: 'none' },
    );
    // Either is looked into before anything is written again.
    const { code } = (await failureOf(write)) as CodedError;
    expect(['runcloud-unknown-result', 'runcloud-intercepted']).toContain(code);
    runcloud.close();
  });

  test.concurrent('gives the survey no reply', async () => {
    await using server = await startBadServer(misdeed);
    const url = `http://127.0.0.1:${server.port}/api/v3`;
    const credentials = { kind: 'token', token: 'token-4f9c2a77d1' } as const;
    const calls = createRawCalls({ url, credentials, timeoutMs: DEADLINE_MS });
    const reply = await calls.send({ method: 'GET', path: '/ping' });
    expect(reply?.body.kind).not.toBe('json');
    calls.close();
  });
});

describe('a page that was not read to its end', () => {
  const reach = async (answer: string, timeoutMs = 5_000) => {
    await using server = await startBadServer((socket) => socket.end(answer));
    const url = parseProbeUrl(`http://{domain}:${server.port}/probe.txt#7f3a91`);
    return await createReachProbe(url, { reachPrivate: true, timeoutMs }).reaches(name, ['127.0.0.1']);
  };

  test.concurrent('shows the text all the same', async () => {
    expect(await reach('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n7f3a91')).toBe('reached');
    expect(await reach(`HTTP/1.1 200 OK\r\n\r\n7f3a91${'x'.repeat(100_000)}`)).toBe('reached');
  });

  test.concurrent('is not said to be without it where it is longer than we read', async () => {
    expect(await reach(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(64 * 1024)}`)).toBe('not-reached');
    expect(await reach(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(64 * 1024 + 1)}`)).toEqual({
      unchecked: 'a page of more than 64 kB',
    });
  });

  test.concurrent('is judged where it is whole, by a length, by chunks, or by the end of HTTP/1.0', async () => {
    expect(await reach('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')).toBe('not-reached');
    expect(await reach('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n')).toBe(
      'not-reached',
    );
    expect(await reach('HTTP/1.0 200 OK\r\n\r\nhello')).toBe('not-reached');
  });
});
