// `npm run audit` says what a registry knows, and where the registry answers no such question, that nothing was checked.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import type { Ran } from './helpers/execute.ts';
import { root, runAsUser, temporaryFolder } from './helpers/packages.ts';

interface Answer {
  readonly status: number;
  /** Advisories by package; a registry tells of those that it was asked about. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Runs it against a registry that answers its question for advisories so, and knows nothing else. */
async function auditWith({ status, body }: Answer): Promise<Ran> {
  const server = createServer(async (request, response) => {
    const sent = await buffer(request);
    const isPending = request.url?.endsWith('/security/advisories/bulk') ?? false;
    response.writeHead(isPending ? status : 404, { 'content-type': 'application/json' });
    if (!isPending) return response.end('{"error":"not found"}');
    const asked = JSON.parse(gunzipSync(sent).toString()) as object;
    const known = Object.entries(body).filter(([name]) => name in asked);
    return response.end(JSON.stringify(Object.fromEntries(known)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // npm keeps advisories in its cache: the user's must not learn of ours.
  using cache = temporaryFolder();
  try {
    const registry = { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_fetch_retries: '0' };
    const env = { ...registry, npm_config_cache: cache.path };
    return await runAsUser(process.execPath, ['scripts/run.mjs', 'audit'], root, env);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const advisory = (severity: string) => ({
  id: 1,
  url: 'https://advisories.example/1',
  title: 'a flaw',
  severity,
  vulnerable_versions: '<1000',
  cwe: [],
  cvss: { score: 0, vectorString: null },
});

describe('npm run audit', () => {
  test('goes well where nothing is known', async () => {
    const { code, out } = await auditWith({ status: 200, body: {} });
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^Audited: 0 of/) });
  });

  test('fails for what is severe in a package for production, although development has it too, and names it', async () => {
    const { code, out } = await auditWith({ status: 200, body: { debug: [advisory('high')] } });
    expect({ code, out }).toEqual({
      code: 1,
      out: expect.stringMatching(/^high: debug\b.*\nAudited: 1 of/),
    });
  });

  test('does not fail for what is not severe, or is for development only', async () => {
    const { code } = await auditWith({
      status: 200,
      body: { tldts: [advisory('moderate')], jest: [advisory('critical')] },
    });
    expect(code).toBe(0);
  });

  test.each([405, 500])('says that nothing was checked where the registry answers %i', async (status) => {
    const { code, out } = await auditWith({ status, body: {} });
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringMatching(/^Not audited: the registry does not answer \(/),
    });
  });
});

test('nothing severe is known of what this checkout brings to production, as far as its registry says', async () => {
  const { code, out } = await runAsUser(process.execPath, ['scripts/run.mjs', 'audit'], root, {});
  process.stderr.write(out);
  expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^(Audited: 0 of|Not audited: )/) });
});
