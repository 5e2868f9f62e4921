// The jobs by name: payload schemas and options. The contract with producers in any language (docs/reference/jobs.md).
// No queue library here.

import { z } from 'zod';
import type { Requester } from '../domains/domain.ts';
import { type DomainName, parseDomainName, resolveWww } from '../domains/domain-name.ts';
import { ID_PATTERN } from '../domains/ids.ts';
import { requireCertifiable, type TopLevelDomains } from '../domains/public-name.ts';
import { inOneLine } from '../domains/sentences.ts';
import type { DomainRequest } from '../domains/store.ts';
import { PermanentError, reasonOf } from '../errors.ts';
import type { WebApplication } from '../runcloud/runcloud.ts';

export const QUEUE_NAME = 'runcloud-domains';

// PHP producers often send numbers as text.
const id = (what: string) =>
  z
    .union([z.int().positive({ abort: true }), z.string().regex(ID_PATTERN).transform(Number)], {
      error: `must be RunCloud's numeric id of the ${what}, such as 1903`,
    })
    .optional()
    .meta({ accepts: 'number', description: `RunCloud's id of the ${what}; default: the configured one` });

const target = {
  serverId: id('server'),
  appId: id('web application'),
};

const siteId = z
  .union([z.string().min(1).max(100), z.int()], {
    error: 'must be a number or a text of 1 to 100 characters',
  })
  .transform(String)
  .optional()
  .meta({
    accepts: 'text or number',
    description: 'The site that the domain belongs to, for your own reference',
  });

// Names are checked by parseDomainName; its reason becomes the field's message.
const domain = z
  .unknown()
  .transform((input, context): DomainName => {
    try {
      return parseDomainName(input);
    } catch (error) {
      context.issues.push({ code: 'custom', message: reasonOf(error), input });
      return z.NEVER;
    }
  })
  .meta({ accepts: 'text', description: 'The domain name; Unicode is converted to its ASCII form' });

const requestedBy = z.string({ error: 'must be a text' }).max(100).optional().meta({
  accepts: 'text',
  description:
    'For whom, in your own words: a host name, a person. Shown as `for`; `by` is what we know of the caller',
});

export const payloadSchemas = {
  'add-domain': z.object({
    domain,
    ...target,
    siteId,
    requestedBy,
    www: z
      .union([z.literal('auto'), z.boolean()], { error: 'must be "auto", true or false' })
      .default('auto')
      .meta({
        accepts: '`auto`, true or false',
        description:
          'Attach the www name too; `auto` (default): for a registrable domain, not for a subdomain',
      }),
    redirection: z
      .enum(['none', 'www', 'non-www'], { error: 'must be "none", "www" or "non-www"' })
      .optional()
      .meta({
        accepts: '`none`, `www` or `non-www`',
        description:
          'Which of the two names redirects to the other; default: `non-www` with www, else `none`',
      }),
  }),
  'remove-domain': z.object({ domain, ...target, siteId, requestedBy }),
  'redeploy-ssl': z.object({
    domain: domain.optional().meta({
      accepts: 'text',
      description: "Advanced SSL: redeploy only this domain's certificate; default: all",
    }),
    ...target,
    requestedBy,
  }),
};

export type JobName = keyof typeof payloadSchemas;
export const jobNames = Object.keys(payloadSchemas) as JobName[];

/** What a producer hands in, before validation: shapes as in docs/reference/jobs.md. */
export type AddDomainPayload = z.input<(typeof payloadSchemas)['add-domain']> & { domain: string };
export type RemoveDomainPayload = z.input<(typeof payloadSchemas)['remove-domain']> & { domain: string };
export type RedeploySslPayload = z.input<(typeof payloadSchemas)['redeploy-ssl']> & {
  domain?: string | undefined;
};

/**
 * Lower is sooner, within one turn. A removal, or somebody waiting at a screen, does not stand behind a bulk import, nor behind what has
 * been tried before.
 */
export const priorities = {
  'remove-domain': 2,
  'redeploy-ssl': 3,
  'add-domain': 5,
  retry: 6,
  check: 7,
  bulk: 10,
} as const;

/** A job's payload after validation. */
export type ParsedJob =
  | {
      readonly name: 'add-domain' | 'remove-domain';
      readonly request: DomainRequest;
      readonly unknownFields: string[];
    }
  | {
      readonly name: 'redeploy-ssl';
      readonly app: WebApplication;
      readonly domain: DomainName | undefined;
      readonly requester: Requester;
      readonly unknownFields: string[];
    };

export type TargetDefaults = Partial<WebApplication>;

/** The configuration's values for what a job leaves out. */
export interface JobDefaults extends TargetDefaults {
  /** TOP_LEVEL_DOMAINS; default `public`. */
  readonly topLevelDomains?: TopLevelDomains | undefined;
}

/** Throws PermanentError (`unknown-job`, `invalid-payload`, `invalid-domain`, `no-web-application`) naming the field. */
export function parseJob(name: string, data: unknown, defaults: JobDefaults): ParsedJob {
  const unknownFields = unknownFieldsOf(name, data);
  switch (name) {
    case 'add-domain': {
      const { www: givenWww, redirection, requestedBy, ...rest } = parsePayload('add-domain', data);
      const www = resolveWww(rest.domain, givenWww);
      requireCertifiable(rest.domain, www !== false, defaults.topLevelDomains ?? 'public');
      const desired = {
        presence: 'present',
        www,
        redirection: redirection ?? (www ? 'non-www' : 'none'),
      } as const;
      const request = { ...rest, ...toApp(rest, defaults), for: requestedBy, desired };
      return { name, request, unknownFields };
    }
    case 'remove-domain': {
      const { requestedBy, ...rest } = parsePayload('remove-domain', data);
      const request = {
        ...rest,
        ...toApp(rest, defaults),
        for: requestedBy,
        desired: { presence: 'absent' } as const,
      };
      return { name, request, unknownFields };
    }
    case 'redeploy-ssl': {
      const payload = parsePayload('redeploy-ssl', data);
      const { domain, requestedBy } = payload;
      return { name, app: toApp(payload, defaults), domain, requester: { for: requestedBy }, unknownFields };
    }
    default:
      throw new PermanentError(
        'unknown-job',
        `There is no job named ${JSON.stringify(name)}; known: ${jobNames.join(', ')}`,
      );
  }
}

function parsePayload<N extends JobName>(name: N, data: unknown): z.output<(typeof payloadSchemas)[N]> {
  const result = payloadSchemas[name].safeParse(data);
  if (result.success) return result.data as z.output<(typeof payloadSchemas)[N]>;
  const problems = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join('.')}: ${message}` : message,
  );
  const isDomain = result.error.issues.every(({ path }) => path[0] === 'domain');
  throw new PermanentError(
    isDomain ? 'invalid-domain' : 'invalid-payload',
    `${name}: ${inOneLine(problems)}`,
  );
}

function unknownFieldsOf(name: string, data: unknown): string[] {
  if (!Object.hasOwn(payloadSchemas, name) || typeof data !== 'object' || data === null) return [];
  const known = payloadSchemas[name as JobName].shape;
  const unknown = Object.keys(data).filter((field) => !(field in known));
  const named = unknown.slice(0, MAX_UNKNOWN).map((field) => field.slice(0, MAX_UNKNOWN_LENGTH));
  return unknown.length > MAX_UNKNOWN ? [...named, `and ${unknown.length - MAX_UNKNOWN} more`] : named;
}

/** They go into logs and receipts, and an external producer may send anything. */
const MAX_UNKNOWN = 20;
const MAX_UNKNOWN_LENGTH = 100;

/** The web application that is meant. Throws PermanentError `no-web-application` if neither names one. */
export function toApp(
  given: { serverId?: number | undefined; appId?: number | undefined },
  defaults: TargetDefaults,
): WebApplication {
  const serverId = given.serverId ?? defaults.serverId;
  const appId = given.appId ?? defaults.appId;
  if (serverId !== undefined && appId !== undefined) return { serverId, appId };
  const missing = [serverId === undefined && 'serverId', appId === undefined && 'appId']
    .filter(Boolean)
    .join(' and ');
  const sentence = `There is no ${missing}: set RUNCLOUD_SERVER_ID and RUNCLOUD_APP_ID, or name them (--server, --app)`;
  throw new PermanentError('no-web-application', sentence);
}
