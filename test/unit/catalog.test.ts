// The contract with producers: which payloads are understood, how, and which sentence refuses the others.
import { describe, expect, test } from '@jest/globals';
import { type CodedError, PermanentError } from '../../src/errors.ts';
import { jobNames, parseJob, payloadSchemas } from '../../src/jobs/catalog.ts';

const defaults = { serverId: 1903, appId: 646 };

function refusalOf(name: string, data: unknown, target: Partial<typeof defaults> = defaults): CodedError {
  try {
    parseJob(name, data, target);
  } catch (error) {
    expect(error).toBeInstanceOf(PermanentError);
    return error as CodedError;
  }
  throw new Error('it was not refused');
}

const desiredOf = (data: object): unknown => {
  const job = parseJob('add-domain', data, defaults);
  return job.name === 'redeploy-ssl' ? undefined : job.request.desired;
};

describe('a payload that is understood', () => {
  test('needs no more than the domain', () => {
    expect(parseJob('add-domain', { domain: 'Shop.Example.ORG.' }, defaults)).toEqual({
      name: 'add-domain',
      request: {
        domain: 'shop.example.org',
        ...defaults,
        desired: { presence: 'present', www: false, redirection: 'none' },
      },
      unknownFields: [],
    });
    expect(parseJob('remove-domain', { domain: 'shop.example.org' }, defaults)).toMatchObject({
      request: { domain: 'shop.example.org', ...defaults, desired: { presence: 'absent' } },
    });
    expect(parseJob('redeploy-ssl', {}, defaults)).toMatchObject({ app: defaults, domain: undefined });
  });

  test.each([
    ['a registrable domain gets its www, by our own rule', { domain: 'example.org' }, 'auto', 'non-www'],
    ['a registrable domain below a two-part suffix too', { domain: 'example.co.uk' }, 'auto', 'non-www'],
    [
      'that www is asked for is told from our own rule',
      { domain: 'example.org', www: true },
      true,
      'non-www',
    ],
    ['a subdomain gets none', { domain: 'shop.example.org' }, false, 'none'],
    ['auto is the same as not said', { domain: 'shop.example.org', www: 'auto' }, false, 'none'],
    ['an explicit yes wins', { domain: 'shop.example.org', www: true }, true, 'non-www'],
    ['an explicit no wins', { domain: 'example.org', www: false }, false, 'none'],
    ['an explicit redirection wins', { domain: 'example.org', redirection: 'www' }, 'auto', 'www'],
  ])('%s', (_, data, www, redirection) => {
    expect(desiredOf(data)).toEqual({ presence: 'present', www, redirection });
  });

  test('may name its own web application, in numbers or in the text that PHP sends', () => {
    const job = parseJob('remove-domain', { domain: 'a.example.org', serverId: '7', appId: 8 }, defaults);
    expect(job).toMatchObject({ request: { serverId: 7, appId: 8 } });
    expect(parseJob('redeploy-ssl', { serverId: 7, appId: '8' }, {})).toMatchObject({
      app: { serverId: 7, appId: 8 },
    });
  });

  test('may say which site it is for, as number or text, and who asks', () => {
    const data = { domain: 'a.example.org', siteId: 12, requestedBy: 'web-1' };
    expect(parseJob('add-domain', data, defaults)).toMatchObject({
      request: { siteId: '12', for: 'web-1' },
    });
  });

  test('may hold fields that nobody knows: they are left out and reported', () => {
    const job = parseJob('add-domain', { domain: 'a.example.org', colour: 'crimson', Www: true }, defaults);
    expect(job.unknownFields).toEqual(['colour', 'Www']);
    expect(JSON.stringify(job)).not.toContain('crimson');
  });

  test.each([{}, { www: true }, { www: false }, { redirection: 'www' }])(
    'means the same when the job that we add for it runs later: %j',
    (given) => {
      const { presence, ...settings } = desiredOf({ domain: 'example.org', ...given }) as {
        presence: string;
      };
      expect(desiredOf({ domain: 'example.org', ...settings })).toEqual({ presence, ...settings });
    },
  );

  test.each(jobNames)('%s means the same when it is parsed twice', (name) => {
    const data = { domain: 'bücher.example.org', requestedBy: 'web-1' };
    const job = parseJob(name, data, defaults);
    const domain = job.name === 'redeploy-ssl' ? job.domain : job.request.domain;
    expect(parseJob(name, { ...data, domain }, defaults)).toEqual(job);
  });
});

describe('a payload that is refused', () => {
  test.each([
    ['a domain that cannot be one', { domain: 'exa mple.org' }, 'invalid-domain', /domain: .*space/],
    ['no domain', {}, 'invalid-domain', /domain: .*must be a text, got nothing/],
    ['a number for a domain', { domain: 7 }, 'invalid-domain', /domain: .*type number/],
    [
      'a server id that is no number',
      { domain: 'a.org', serverId: 'x' },
      'invalid-payload',
      /serverId: .*numeric id/,
    ],
    ['a server id of zero', { domain: 'a.org', serverId: 0 }, 'invalid-payload', /serverId: .*such as 1903/],
    [
      'a www of another kind',
      { domain: 'a.org', www: 'yes' },
      'invalid-payload',
      /www: must be "auto", true or false/,
    ],
    [
      'an unknown redirection',
      { domain: 'a.org', redirection: 'up' },
      'invalid-payload',
      /redirection: must be "none"/,
    ],
    ['a site id that is a list', { domain: 'a.org', siteId: [] }, 'invalid-payload', /siteId: must be/],
    [
      'a requester that is no text',
      { domain: 'a.org', requestedBy: 7 },
      'invalid-payload',
      /requestedBy: must be a text/,
    ],
  ])('%s names the field and the reason', (_, data, code, message) => {
    const refusal = refusalOf('add-domain', data);
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(/^add-domain: /);
    expect(refusal.message).toMatch(message);
  });

  test('with several faults names them all', () => {
    const { message } = refusalOf('add-domain', { domain: 'a_b.org', www: 7, serverId: -1 });
    expect(message).toMatch(/domain: .*underscore/);
    expect(message).toContain('www: ');
    expect(message).toContain('serverId: ');
  });

  test.each([[null], ['text'], [undefined], [7], [[]]])('that is no object (%p) is refused', (data) => {
    expect(refusalOf('add-domain', data).code).toBe('invalid-payload');
  });

  test('for a job that does not exist lists those that do', () => {
    const { code, message } = refusalOf('add-domian', { domain: 'a.example.org' });
    expect(code).toBe('unknown-job');
    for (const name of jobNames) expect(message).toContain(name);
  });

  test.each(['constructor', 'toString', '__proto__'])(
    'for a job named %s, as for any unknown one',
    (name) => {
      expect(refusalOf(name, { domain: 'a.example.org' }).code).toBe('unknown-job');
    },
  );

  test('without a web application says what is missing', () => {
    const data = { domain: 'a.example.org' };
    expect(refusalOf('add-domain', data, {})).toMatchObject({
      code: 'no-web-application',
      message: expect.stringContaining('serverId and appId'),
    });
    expect(refusalOf('add-domain', data, { serverId: 1 }).message).toMatch(
      /^There is no appId: set RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID/,
    );
    expect(refusalOf('redeploy-ssl', {}, { appId: 1 }).message).toMatch(/^There is no serverId: set/);
  });
});

test('every field of every payload is described, since clients in other languages read it', () => {
  for (const schema of Object.values(payloadSchemas)) {
    for (const [field, { description }] of Object.entries(schema.shape)) {
      expect([field, description]).toEqual([field, expect.stringMatching(/^\p{Lu}/u)]);
    }
  }
});
