// A retry from the board: by the rules of every manual retry, not by Bull Board's own.
import { describe, expect, test } from '@jest/globals';
import { PRIMARY } from '../helpers/worker.ts';
import { type BoardStage, createBoardStage, get, logIn, put, QUEUE } from './board-stage.ts';

/** A job of ours whose attempts have all failed. */
async function failedAdd({ stage }: BoardStage, domain = 'shop.example.org'): Promise<string> {
  stage.simulator.addFault({ kind: 'status', status: 503, operation: 'attach-domain', times: 2 });
  const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain });
  const job = await stage.ended(jobId);
  expect(await job.getState()).toBe('failed');
  return jobId;
}
const twoAttempts = { stage: { workers: 1, retries: { attempts: 2 } } };

describe('a retry from the board', () => {
  test('gives a full budget of attempts, is written down, and its page shows the job that carries on', async () => {
    await using board = await createBoardStage(twoAttempts);
    const { stage, app, audit } = board;
    const cookie = await logIn(app, 'ada');
    const jobId = await failedAdd(board);
    // One more failure than a single try would survive.
    stage.simulator.addFault({ kind: 'status', status: 503, operation: 'attach-domain', times: 1 });
    const answer = await put(app, `/board/api/queues/${QUEUE}/${encodeURIComponent(jobId)}/retry`, cookie);
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY, 'shop.example.org']);
    const shown = (await get(app, `/board/api/queues/${QUEUE}/${encodeURIComponent(jobId)}`, cookie)).json();
    expect(shown).toMatchObject({ status: 'completed', job: { attempts: 2 } });
    expect(shown.job.id).not.toBe(jobId);
    const logs = await get(app, `/board/api/queues/${QUEUE}/${encodeURIComponent(jobId)}/logs`, cookie);
    expect(logs.body).toMatch(/attached/);
    expect(await audit.list({ limit: 10, what: ['retry'] })).toMatchObject([
      {
        who: 'board:ada',
        what: 'retry',
        domains: ['shop.example.org'],
        detail: expect.stringContaining(jobId),
      },
    ]);
  });

  test('does not retry a superseded job, and names the newer one', async () => {
    await using board = await createBoardStage(twoAttempts);
    const { stage, app } = board;
    const cookie = await logIn(app, 'ada');
    const jobId = await failedAdd(board);
    const newer = await stage.producer.requests.enqueue('remove-domain', { domain: 'shop.example.org' });
    await stage.ended(newer.jobId);
    const answer = await put(app, `/board/api/queues/${QUEUE}/${encodeURIComponent(jobId)}/retry`, cookie);
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toEqual({ error: expect.stringContaining(newer.jobId) });
    await stage.idle();
    expect(stage.names()).toEqual([PRIMARY]);
    expect(await (await stage.job(jobId)).getState()).toBe('failed');
  });

  test('of a completed job, or of one that does not exist, is refused', async () => {
    await using board = await createBoardStage({ stage: { workers: 1 } });
    const { stage, app } = board;
    const cookie = await logIn(app, 'ada');
    const { jobId } = await stage.producer.requests.enqueue('add-domain', { domain: 'a.example.org' });
    expect(await (await stage.ended(jobId)).getState()).toBe('completed');
    for (const id of [jobId, 'none']) {
      const answer = await put(app, `/board/api/queues/${QUEUE}/${encodeURIComponent(id)}/retry`, cookie);
      expect(answer.statusCode).toBe(409);
      expect(answer.json()).toEqual({ error: expect.stringContaining(id) });
    }
    expect((await put(app, `/board/api/queues/${QUEUE}/retry/completed`, cookie)).statusCode).toBe(409);
    await stage.idle();
    const { queues } = (await get(app, '/board/api/queues', cookie)).json();
    expect(queues[0]).toMatchObject({ allowRetries: true, allowCompletedRetries: false });
  });

  test('a page has at most a hundred jobs', async () => {
    await using board = await createBoardStage();
    const { stage, app } = board;
    const cookie = await logIn(app, 'vic');
    await Promise.all(
      Array.from({ length: 130 }, (_, i) =>
        stage.producer.requests.enqueue('add-domain', { domain: `d${i}.example.org` }),
      ),
    );
    for (const size of ['100000', 'x', '1e9']) {
      const url = `/board/api/queues?activeQueue=${QUEUE}&status=prioritized&page=1&jobsPerPage=${size}`;
      expect((await get(app, url, cookie)).json().queues[0].jobs).toHaveLength(100);
    }
  });

  test('of all takes up what is still wanted, and counts what it left', async () => {
    await using board = await createBoardStage(twoAttempts);
    const { stage, app, audit } = board;
    const cookie = await logIn(app, 'ada');
    await failedAdd(board, 'a.example.org');
    await failedAdd(board, 'b.example.org');
    await failedAdd(board, 'c.example.org');
    const newer = await stage.producer.requests.enqueue('remove-domain', { domain: 'c.example.org' });
    await stage.ended(newer.jobId);
    const answer = await put(app, `/board/api/queues/${QUEUE}/retry/failed`, cookie);
    expect(answer.json()).toEqual({ retried: 2, skipped: 1 });
    await stage.idle();
    expect(stage.names().toSorted()).toEqual(['a.example.org', 'b.example.org', PRIMARY]);
    // Requests of external producers are collected for a second, and may be written later.
    const entry = (await audit.list({ limit: 10 })).find(({ what }) => what === 'retry');
    expect(entry).toMatchObject({
      who: 'board:ada',
      what: 'retry',
      domainCount: 3,
      detail: expect.stringMatching(/^3 failed: /),
    });
  });
});
