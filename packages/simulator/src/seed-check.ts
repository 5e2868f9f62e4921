// Checks a seed that arrives over HTTP, and a domain attached or detached behind the client's back; names the
// bad field. What a seed means is in seed.ts.

import type { JsonObject } from './control-fields.ts';
import {
  ControlError,
  readBoolean,
  readChoice,
  readList,
  readObject,
  readString,
  readWhole,
  rejectUnknownFields,
  within,
  withoutUndefined,
} from './control-fields.ts';
import type { LogLine } from './controls.ts';
import { parseZone } from './dns-records.ts';
import { LOG_KINDS } from './log.ts';
import type { Seed, SeedDomain, SeedServer, SeedWebapp } from './seed.ts';

const DOMAIN_FIELDS = ['name', 'type', 'www', 'redirection'];
const SERVER_FIELDS = ['id', 'name', 'ipAddress', 'connected', 'online'];
const WEBAPP_FIELDS = [
  ...['id', 'serverId', 'name', 'primaryDomain', 'domains', 'domainCount'],
  ...['certificate', 'covers', 'authorizationMethod', 'advancedSsl', 'autoSsl'],
];

export interface DomainChange extends SeedDomain {
  webapp?: number;
}

export function parseSeed(input: unknown): Seed {
  const body = readObject(input, 'seed');
  rejectUnknownFields(body, ['servers', 'webapps', 'dns']);
  return withoutUndefined({
    servers: readList(body, 'servers')?.map((server, at) => parseAt(`servers.${at}`, server, parseServer)),
    webapps: readList(body, 'webapps')?.map((webapp, at) => parseAt(`webapps.${at}`, webapp, parseWebapp)),
    dns: parseDns(body.dns),
  });
}

export function parseDomainChange(input: unknown): DomainChange {
  const body = readObject(input, 'domain');
  const { webapp, ...domain } = body;
  const id = readWhole({ webapp }, 'webapp', { min: 1 });
  return withoutUndefined({ ...parseDomain(domain), webapp: id });
}

export function parseLogLine(input: unknown): LogLine {
  const body = readObject(input, 'line');
  rejectUnknownFields(body, ['content', 'kind', 'webapp']);
  const content = readString(body, 'content');
  if (content === undefined) throw new ControlError('content', 'is needed');
  return withoutUndefined({
    content,
    kind: readChoice(body, 'kind', LOG_KINDS),
    webapp: readWhole(body, 'webapp', { min: 1 }),
  });
}

export function parseServerMove(input: unknown): { ipAddress: string; server?: number } {
  const body = readObject(input, 'body');
  rejectUnknownFields(body, ['ipAddress', 'server']);
  const ipAddress = readString(body, 'ipAddress');
  if (ipAddress === undefined) throw new ControlError('ipAddress', 'is needed');
  return withoutUndefined({ ipAddress, server: readWhole(body, 'server', { min: 1 }) });
}

const parseAt = <T>(place: string, value: unknown, parse: (body: JsonObject) => T): T =>
  within(place, () => parse(readObject(value, '')));

/** Checked here, so that a bad one is named before anything is built from it. */
function parseDns(input: unknown): Seed['dns'] {
  if (input !== undefined) parseZone(input);
  return input as Seed['dns'];
}

function parseServer(body: JsonObject): SeedServer {
  rejectUnknownFields(body, SERVER_FIELDS);
  return withoutUndefined({
    id: readWhole(body, 'id', { min: 1 }),
    name: readString(body, 'name'),
    ipAddress: readString(body, 'ipAddress'),
    connected: readBoolean(body, 'connected'),
    online: readBoolean(body, 'online'),
  });
}

function parseWebapp(body: JsonObject): SeedWebapp {
  rejectUnknownFields(body, WEBAPP_FIELDS);
  return withoutUndefined({
    id: readWhole(body, 'id', { min: 1 }),
    serverId: readWhole(body, 'serverId', { min: 1 }),
    name: readString(body, 'name'),
    primaryDomain: body.primaryDomain === null ? null : readString(body, 'primaryDomain'),
    domains: readList(body, 'domains')?.map((domain, at) => parseListed(domain, `domains.${at}`)),
    domainCount: readWhole(body, 'domainCount', { max: 10_000 }),
    certificate: readChoice(body, 'certificate', ['letsencrypt', 'custom', 'none']),
    covers: readChoice(body, 'covers', ['primary', 'all']),
    authorizationMethod: readChoice(body, 'authorizationMethod', ['http-01', 'dns-01']),
    advancedSsl: readBoolean(body, 'advancedSsl'),
    autoSsl: readBoolean(body, 'autoSsl'),
  });
}

const parseListed = (domain: unknown, place: string): string | SeedDomain =>
  typeof domain === 'string' && domain !== '' ? domain : parseAt(place, domain, parseDomain);

function parseDomain(body: JsonObject): SeedDomain {
  rejectUnknownFields(body, DOMAIN_FIELDS);
  const name = readString(body, 'name');
  if (name === undefined) throw new ControlError('name', 'is needed');
  return withoutUndefined({
    name,
    type: readChoice(body, 'type', ['alias', 'primary', 'redirect']),
    www: readBoolean(body, 'www'),
    redirection: readChoice(body, 'redirection', ['none', 'www', 'non-www']),
  });
}
