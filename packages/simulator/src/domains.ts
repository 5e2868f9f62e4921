// The routes under .../domains (reference section 4): attach, list, get, settings, DNS, delete. Certificates are
// touched only where a switch says that RunCloud does it on its own.
import { domainToUnicode } from 'node:url';
import { matchesSearch } from './account.ts';
import { autoIssue } from './certificates.ts';
import type { Context, Handler } from './context.ts';
import { findDomain, notFound, withDomain, withWebapp } from './context.ts';
import { paginate } from './pagination.ts';
import type { Reply } from './replies.ts';
import { createdStatus, failure, ok, single, toSqlDate, unprocessable, writeReply } from './replies.ts';
import { booleanRule, choiceRule, findErrors, hostNameRule, toBoolean } from './validation.ts';
import type { Domain, DomainType, Redirection, Webapp } from './world.ts';
import {
  addDomain,
  certificatesOf,
  demotePrimary,
  domainsAt,
  domainsOf,
  namesOf,
  rememberDomains,
  removeDomain,
} from './world.ts';

const SETTING_RULES = [
  booleanRule('www'),
  choiceRule('redirection', ['none', 'www', 'non-www']),
  choiceRule('type', ['alias', 'primary', 'redirect']),
];
const ATTACH_RULES = [hostNameRule, ...SETTING_RULES];
const ALL_SETTINGS = SETTING_RULES.map((rule) => ({ ...rule, required: true }));

export const attachDomain: Handler = withWebapp((context, webapp) => {
  const { body, world, variants, settings, now } = context;
  const errors = findErrors(body, ATTACH_RULES);
  if (errors !== null) return unprocessable(errors);
  const existing = findDuplicate(context, webapp, String(body.name));
  if (existing !== undefined) return duplicate(context, existing);
  if (isTwinTaken(context, webapp, { name: String(body.name), www: toBoolean(body.www) }))
    return duplicate(context);
  if (settings.domainLimit > 0 && domainsOf(world, webapp.id).length >= settings.domainLimit) {
    return failure(422, 'The number of domains for this web application is at its limit.', variants);
  }
  const name = variants.nameCase === 'lower' ? String(body.name).toLowerCase() : String(body.name);
  if (settings.listLagMs > 0) rememberDomains(world, now);
  const domain = addDomain(world, { webappId: webapp.id, name, createdAt: now, ...readSettings(body) });
  autoIssue(context, webapp, domain);
  return { status: createdStatus(variants), body: attachBody(context, domain), applied: true };
});

function readSettings(body: Context['body']): Pick<Domain, 'type' | 'www' | 'redirection'> {
  return {
    type: (body.type ?? 'alias') as DomainType,
    www: toBoolean(body.www),
    redirection: (body.redirection ?? 'none') as Redirection,
  };
}

function attachBody({ variants }: Context, domain: Domain): unknown {
  if (variants.attachReply === 'empty') return {};
  const object = toDomainBody(domain, variants);
  return variants.attachReply === 'wrapped' ? { data: object } : single(object, variants);
}

function inScope({ world, variants }: Context, webapp: Webapp): Domain[] {
  const serverIds = new Map(world.webapps.map(({ id, serverId }) => [id, serverId]));
  return world.domains.filter((domain) => {
    if (variants.duplicateScope === 'account') return true;
    if (variants.duplicateScope === 'server') return serverIds.get(domain.webappId) === webapp.serverId;
    return domain.webappId === webapp.id;
  });
}

const findDuplicate = (context: Context, webapp: Webapp, name: string): Domain | undefined =>
  inScope(context, webapp).find((domain) => domain.name.toLowerCase() === name.toLowerCase());

/** One of the host names is another domain's www name, or is www and a domain itself. */
function isTwinTaken(context: Context, webapp: Webapp, { name, www }: Pick<Domain, 'name' | 'www'>): boolean {
  if (context.variants.twinName === 'accepted') return false;
  const lower = name.toLowerCase();
  return inScope(context, webapp).some((domain) => {
    const other = domain.name.toLowerCase();
    return (www && other === `www.${lower}`) || (domain.www && lower === `www.${other}`);
  });
}

// Status, body and text are all unknown; one client guesses "already exists" (section 4).
function duplicate({ variants }: Context, existing?: Domain): Reply {
  const message = 'Domain already exists.';
  const reply = variants.duplicateReply;
  switch (existing === undefined && reply === '200-existing' ? '422-message' : reply) {
    case '422-errors':
      return unprocessable({ name: ['The name has already been taken.'] });
    case '200-existing':
      return ok(existing && single(toDomainBody(existing, variants), variants));
    case '422-message':
    case '409':
    case '400':
      return failure(Number.parseInt(reply, 10), message, variants);
  }
}

export const listDomains: Handler = withWebapp((context, webapp) => {
  const { world, variants, settings, now } = context;
  const all =
    settings.listLagMs > 0
      ? domainsAt(world, webapp.id, now - settings.listLagMs)
      : domainsOf(world, webapp.id);
  const rows = variants.domainSearch === 'filters' ? all.filter(matchesSearch(context)) : all;
  return paginate(context, rows, (domain) => toDomainBody(domain, variants));
});

export const getDomain: Handler = withDomain(({ variants }, domain) =>
  ok(single(toDomainBody(domain, variants), variants)),
);

/** PATCH domains/{d}/meta: in the docs (api-8617114), not in the SDK's route table. */
export const updateDomain: Handler = (context) =>
  context.version === 'v2' && context.variants.changeOnV2 === '404'
    ? failure(404, 'Not Found.', context.variants)
    : changeDomain(context);

const changeDomain: Handler = withDomain((context, domain, webapp) => {
  const { body, world, variants } = context;
  const errors = findErrors(body, variants.changeFields === 'all' ? ALL_SETTINGS : SETTING_RULES);
  if (errors !== null) return unprocessable(errors);
  const { name, type, www, redirection } = domain;
  const settings = readSettings({ type, www, redirection, ...body });
  if (settings.www && !www && isTwinTaken(context, webapp, { name, www: true })) return duplicate(context);
  if (context.settings.listLagMs > 0) rememberDomains(world, context.now);
  if (body.type === 'primary') demotePrimary(world, webapp.id);
  Object.assign(domain, settings);
  return changed(context, domain);
});

function changed({ variants }: Context, domain: Domain): Reply {
  const { changeReply } = variants;
  const message = 'Domain settings have been successfully updated.';
  const style = changeReply === 'domain' ? 'ssl' : changeReply;
  return writeReply(style, { status: 200, object: toDomainBody(domain, variants), message, variants });
}

/** What to configure, not what resolves now (section 4, api-8617115). A bare array. */
export const getDomainDns: Handler = withDomain(({ world }, { name, www }, webapp) => {
  const server = world.servers.find(({ id }) => id === webapp.serverId);
  const address = { type: 'A', hostname: name, content: server?.ipAddress ?? null };
  return ok(www ? [address, { type: 'CNAME', hostname: `www.${name}`, content: name }] : [address]);
});

export const deleteDomain: Handler = withWebapp((context, webapp) => {
  const { world, variants } = context;
  const domain = findDomain(context, webapp);
  if (domain === undefined) return deleteUnknown(context);
  if (domain.type === 'primary' && variants.deletePrimary !== 'allowed') {
    return failure(Number(variants.deletePrimary), 'The primary domain cannot be deleted.', variants);
  }
  if (context.settings.listLagMs > 0) rememberDomains(world, context.now);
  removeDomain(world, domain);
  if (variants.certificateOnDetach === 'name-dropped') dropNames(context, domain);
  if (variants.deleteReply === '204') return { status: 204, applied: true };
  const body = variants.deleteReply === 'empty' ? {} : single(toDomainBody(domain, variants), variants);
  return { status: 200, body, applied: true };
});

function deleteUnknown(context: Context): Reply {
  if (context.variants.deleteUnknown === '200-empty') return ok({});
  if (context.variants.deleteUnknown === '404') return notFound(context, 'Domain');
  return unprocessable({ domain: ['The selected domain is invalid.'] });
}

function dropNames({ world }: Context, domain: Domain): void {
  const gone = namesOf([domain]);
  for (const certificate of certificatesOf(world, domain.webappId)) {
    certificate.names = certificate.names.filter((name) => !gone.includes(name));
  }
}

function toDomainBody(domain: Domain, variants: Context['variants']): object {
  const name = variants.idnReply === 'unicode' ? domainToUnicode(domain.name) : domain.name;
  const created = { created_at: toSqlDate(domain.createdAt) };
  if (variants.domainFields === 'minimal') return { id: domain.id, name, ...created };
  // 0/1 although sent as booleans (section 4 [D]).
  const flag = (value: boolean): boolean | number =>
    variants.booleans === 'booleans' ? value : Number(value);
  return {
    id: domain.id,
    name,
    ...(variants.domainFields === 'full' && { type: domain.type }),
    www: flag(domain.www),
    redirection: domain.redirection,
    wildcard: flag(false),
    dns_integration: 'none',
    status: variants.domainStatus === 'null' ? null : variants.domainStatus,
    ...created,
  };
}
