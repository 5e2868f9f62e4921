// The sentences of the HTTP API, as callers read them.
import { expect, test } from '@jest/globals';
import * as messages from '../../src/server/messages.ts';

const shop = 'shop.example.org';

test('the sentences', () => {
  const { bug, jobNotFailed, noJob, onSeveral, redisRejected, roleRequired, tooManyLines, ...others } =
    messages;
  const { tooManyOpen, unknownDomain, unknownDomainOn, unreadableBody, wwwNameOf, ...constants } = others;
  for (const sentence of Object.values(constants)) expect(sentence).toEqual(expect.any(String));
  expect({
    ...constants,
    bug: bug('b3c1'),
    jobNotFailed: jobNotFailed('waiting'),
    noJob: noJob(`${shop}_1903_646~7`),
    onSeveral: onSeveral(shop, 2, 'web applications 646 (live) and 701 (held)'),
    redisRejected: redisRejected('OOM command not allowed'),
    roleRequired: roleRequired('read or operate', 'shop', 'enqueue'),
    tooManyLines: tooManyLines(1000, 1001),
    tooManyOpen: tooManyOpen(10_000),
    unknownDomain: unknownDomain(shop),
    unknownDomainOn: unknownDomainOn(shop, 'web application 646', 'web application 701 (live)'),
    unreadableBody: unreadableBody('it is broken UTF-8 in line 2'),
    wwwNameOf: wwwNameOf(`www.${shop}`, shop, 646),
  }).toMatchSnapshot();
});
