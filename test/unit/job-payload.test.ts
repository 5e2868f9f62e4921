// Who asked by a job: only the record that a door of ours wrote before it proves that.
import { expect, test } from '@jest/globals';
import { isOurForm, readJob, requesterOf } from '../../src/queue/job-payload.ts';

const stem = 'a.example.org_1903_646~';
const ours = { jobId: `${stem}7`, request: 'pending', generation: 7, by: 'api:shop' };
const bare = { isExternal: true, by: 'producer' };

test.each([
  ['our newest, while it is on its way', `${stem}7`, ours, { isExternal: false, by: 'api:shop' }],
  ['the same id, after its end', `${stem}7`, { ...ours, request: 'settled' }, bare],
  ['the same id, after it failed', `${stem}7`, { ...ours, request: 'failed' }, bare],
  ['an older one does nothing', `${stem}6`, ours, { isExternal: false, by: undefined }],
  ['a newer one than the record’s', `${stem}8`, ours, bare],
  ['the number that a bare client’s request was given', `${stem}7`, { ...ours, jobId: '12' }, bare],
  ['without a record', `${stem}7`, undefined, bare],
  ['BullMQ’s own id', '12', ours, bare],
  ['another stem', 'b.example.org_1903_646~7', ours, bare],
  ['something before it', `x${stem}7`, ours, bare],
  ['no number', `${stem}7x`, ours, bare],
  ['no id', '', ours, bare],
])('%s', (_, id, record, expected) => {
  expect(requesterOf(id, stem, record)).toEqual(expected);
});

test.each([
  [`${stem}1`, { domain: 'a.example.org', serverId: 1903, appId: 646 }, true],
  ['redeploy_1903_646~1', { serverId: 1903, appId: 646 }, true],
  [`${stem}1`, { domain: 'b.example.org', serverId: 1903, appId: 646 }, false],
  [`${stem}1`, { domain: 'a.example.org', serverId: 1903, appId: 701 }, false],
  ['x~1', { domain: 'a.example.org', serverId: 1903, appId: 646 }, false],
  ['x~1', null, false],
  ['x~1', 'text', false],
])('%s %j looks like ours: %j', (id, data, expected) => {
  expect(isOurForm({ id, data })).toBe(expected);
  const { by } = readJob({ id, data: typeof data === 'object' && data ? { ...data, by: 'cli:root' } : data });
  expect(by).toBe(expected ? 'cli:root' : undefined);
});
