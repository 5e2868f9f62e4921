// The board in a real browser: what an operator sees and does, and what a viewer cannot, by button or by request. Screenshots go to the
// folder that TEST_SCREENSHOTS names, if it does.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type Browser, chromium, devices, type Page } from 'playwright-core';
import { BOARD_USERS, PASSWORDS } from '../helpers/board-login.ts';
import { startServer, type TestServer } from '../helpers/http-server.ts';
import { startPrefixProxy } from '../helpers/prefix-proxy.ts';
import { findBrowser } from '../helpers/test-tools.ts';
import { until } from '../helpers/until.ts';
import { createStage, type Stage } from '../helpers/worker.ts';

const program = findBrowser();
// Where nobody has one, these tests are shown as skipped; CI installs one.
const inBrowser = program === undefined ? test.skip : test;
/** Slow machines. */
const PATIENCE_MS = 120_000;
const SHOP = 'shop.example.org';
const WHY = 'The name is taken by somebody else';

interface Bench extends AsyncDisposable {
  readonly stage: Stage;
  readonly server: TestServer;
  readonly jobId: string;
  open(how?: (typeof devices)[string]): Promise<Page>;
  /** What the browser complained of. */
  readonly complaints: string[];
}

/** A server, a worker, a failed job, and a browser. */
async function createBench(env: Record<string, string> = {}): Promise<Bench> {
  await using stack = new AsyncDisposableStack();
  const stage = stack.use(await createStage());
  const server = stack.use(await startServer({ ...stage.env, BOARD_USERS, ...env }));
  const browser: Browser = await chromium.launch({ executablePath: program ?? '', args: ['--no-sandbox'] });
  stack.defer(() => browser.close());
  stage.simulator.addFault({ kind: 'status', status: 422, domain: SHOP, times: 1, body: { message: WHY } });
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: SHOP });
  await stage.ended(jobId);
  const complaints: string[] = [];
  const releases = stack.move();
  return {
    stage,
    server,
    jobId,
    complaints,
    async open(how = devices['Desktop Chrome'] ?? {}) {
      const page = await (await browser.newContext(how)).newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      page.on('pageerror', ({ message }) => complaints.push(message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      return page;
    },
    [Symbol.asyncDispose]: () => releases.disposeAsync(),
  };
}

async function logIn(
  page: Page,
  { server }: { readonly server: Pick<TestServer, 'url'> },
  name: keyof typeof PASSWORDS,
): Promise<void> {
  await page.goto(`${server.url}/board`);
  await page.fill('[name=name]', name);
  await page.fill('[name=password]', PASSWORDS[name]);
  await page.click('button[type=submit]');
  await page
    .getByRole('link', { name: /failed/i })
    .first()
    .waitFor();
}

async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.TEST_SCREENSHOTS;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

const jobPage = ({ server, jobId }: Bench): string =>
  `${server.url}/board/queue/runcloud-domains/${encodeURIComponent(jobId)}?status=failed`;
const retryIcon = (page: Page) => page.locator('button:has(svg.lucide-refresh-cw)');

inBrowser(
  'an operator logs in, sees the counts, reads why a job failed, retries it and sees it complete',
  async () => {
    await using bench = await createBench();
    const page = await bench.open();
    await logIn(page, bench, 'ada');
    expect(await page.locator('body').innerText()).toMatch(/failed\s+1\b/i);
    await picture(page, 'desktop-overview');
    await page.goto(`${bench.server.url}/board/queue/runcloud-domains?status=failed`);
    await page.getByText(bench.jobId).first().click();
    await page.getByText(WHY).first().waitFor();
    await picture(page, 'desktop-job');
    await page.getByRole('tab', { name: 'Logs' }).click();
    await page
      .getByText(/attempt 1 of 5/)
      .first()
      .waitFor();
    await picture(page, 'desktop-log');
    await retryIcon(page).first().click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await until(() => bench.stage.names().includes(SHOP), 'it is attached', PATIENCE_MS);
    await bench.stage.idle();
    // The page of the old job shows the one that carries on.
    await page.goto(jobPage(bench));
    await page.getByText(`${SHOP}_1903_646~2`).first().waitFor();
    await page.getByText('Finished at').first().waitFor();
    await picture(page, 'desktop-retried');
    expect(await bench.stage.producer.audit.list({ limit: 1 })).toMatchObject([
      { who: 'board:ada', what: 'retry', domains: [SHOP] },
    ]);
    expect(bench.complaints).toEqual([]);
  },
  240_000,
);

inBrowser(
  'a viewer, on a phone, sees the same and can change nothing, by button or by request',
  async () => {
    await using bench = await createBench();
    const page = await bench.open(devices['Pixel 7']);
    await page.goto(`${bench.server.url}/board`);
    await picture(page, 'phone-login');
    await logIn(page, bench, 'vic');
    await picture(page, 'phone-overview');
    await page.goto(jobPage(bench));
    await page.getByText(WHY).first().waitFor();
    await picture(page, 'phone-job');
    expect(await retryIcon(page).count()).toBe(0);
    const path = `/board/api/queues/runcloud-domains/${encodeURIComponent(bench.jobId)}/retry`;
    // As a script of the page itself would send it, with cookie and origin.
    const status = await page.evaluate(`fetch('${path}', { method: 'PUT' }).then((reply) => reply.status)`);
    expect(status).toBe(403);
    expect(await bench.stage.queue.getJobState(bench.jobId)).toBe('failed');
    expect(bench.stage.names()).not.toContain(SHOP);
    expect(bench.complaints.filter((text) => !text.includes('403'))).toEqual([]);
  },
  240_000,
);

const TOLD = {
  'x-forwarded-prefix': '/domains',
  'x-forwarded-proto': 'https',
  'x-forwarded-for': '192.0.2.7',
};

inBrowser.each([
  ['takes it off', { SERVER_PATH: '/domains' }, true, {}],
  ['leaves it', { SERVER_PATH: '/domains' }, false, {}],
  ['takes it off, and says so', { TRUST_PROXY: 'on' }, true, TOLD],
])(
  'below a path of a proxy, which %s, an operator logs in, retries a job and logs out',
  async (_, env: Record<string, string>, isTakenOff, headers) => {
    await using bench = await createBench(env);
    const { jobId, stage } = bench;
    const how = { prefix: '/domains', isTakenOff, headers };
    await using proxy = await startPrefixProxy(bench.server.url, how);
    const page = await bench.open();
    await logIn(page, { server: proxy }, 'ada');
    await page.goto(`${proxy.url}/board/queue/runcloud-domains?status=failed`);
    await page.getByText(jobId).first().click();
    await page.getByText(WHY).first().waitFor();
    expect(new URL(page.url()).pathname).toBe(
      `/domains/board/queue/runcloud-domains/${encodeURIComponent(jobId)}`,
    );
    await retryIcon(page).first().click();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await until(() => stage.names().includes(SHOP), 'it is attached', PATIENCE_MS);
    await stage.idle();
    await page.goto(`${proxy.url}/v1/docs`);
    await page.getByRole('link', { name: 'openapi.json', exact: true }).click();
    await page.getByText('"servers":[{"url":"/domains"}]').waitFor();
    await page.goto(`${proxy.url}/board/logout`);
    await page.click('button[type=submit]');
    await page.waitForURL(`${proxy.url}/board/login`);
    const cookies = (await page.context().cookies()).map(({ name, path }) => `${name} ${path}`);
    expect(cookies).toEqual([`${env.TRUST_PROXY ? '__Secure-' : ''}runcloud-domains-form /domains/board`]);
    expect(proxy.failed.filter((line) => !line.endsWith(' /favicon.ico'))).toEqual([]);
    expect(bench.complaints.filter((text) => !/404|ERR_ABORTED/.test(text))).toEqual([]);
  },
  240_000,
);
