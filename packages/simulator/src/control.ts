// Control over HTTP under /_simulator, for a simulator in another process: the same levers as in code, with no
// credentials, on loopback only. Bad bodies are answered with 400 and the name of the field.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ControlError, isObject, readObject, rejectUnknownFields } from './control-fields.ts';
import type { SimulatorControls } from './controls.ts';
import { readText } from './exchange.ts';
import { OPERATIONS } from './routes.ts';
import { parseDomainChange, parseLogLine, parseSeed, parseServerMove } from './seed-check.ts';
import { VARIANT_TABLE } from './variant-table.ts';

export const CONTROL_PREFIX = '/_simulator';

type Lever = (controls: SimulatorControls, body: unknown, query: URLSearchParams) => unknown;

/** Method and path below the prefix; the answer is JSON with status 200. */
const LEVERS: Record<string, Lever> = {
  'GET /': () => ({ endpoints: Object.keys(LEVERS), operations: OPERATIONS }),
  'GET /state': ({ state }) => state.snapshot(),
  'GET /calls': ({ state }, _, query) => callsAfter(state.calls, query),
  'GET /orders': ({ state }) => state.orders,
  'POST /orders/finish': ({ finishOrders, state }) => {
    finishOrders();
    return state.orders;
  },
  'GET /overlaps': ({ state }) => state.overlappingWrites(),
  'GET /variants': ({ variants }) => ({ current: variants, table: VARIANT_TABLE }),
  'POST /variants': (controls, body) => controls.setVariants(readObject(body, 'body')),
  'POST /settings': (controls, body) => controls.setSettings(readObject(body, 'body')),
  'GET /faults': ({ state }) => state.faults,
  'POST /faults': (controls, body) => (Array.isArray(body) ? body : [body]).map(controls.addFault),
  'DELETE /faults': (controls) => {
    controls.clearFaults();
    return controls.state.faults;
  },
  'POST /domains': (controls, body) => controls.attachDomain(parseDomainChange(body)),
  'DELETE /domains': (controls, body) => controls.detachDomain(parseDomainChange(body)),
  /** { ipAddress, server? }: the server's address from now on. */
  'POST /server': (controls, body) => controls.moveServer(parseServerMove(body)),
  /** { content, kind?, webapp? }: a line of the web application's log. */
  'POST /log': (controls, body) => {
    controls.log(parseLogLine(body));
    return controls.state.snapshot().log;
  },
  'GET /dns': ({ state }) => state.snapshot().dns,
  /** { name, a?, aaaa?, cname?, caa?, fails? }: all that the DNS says of this name from now on. */
  'POST /dns': (controls, body) => {
    const { name, ...record } = readObject(body, 'body');
    controls.setDns(name as string, record);
    return controls.state.snapshot().dns;
  },
  /** { name } */
  'DELETE /dns': (controls, body) => {
    controls.removeDns(readObject(body, 'body').name as string);
    return controls.state.snapshot().dns;
  },
  /** Where the DNS and the web server listen, and whom to trust; null without an edge. */
  'GET /edge': ({ edge }) => edge ?? null,
  'GET /serve': ({ state }) => state.snapshot().lies,
  /** { name, expired?, wrongName?, untrusted?, silent?, notAfter? }: what the web server shows; { name }: the truth. */
  'POST /serve': (controls, body) => {
    const { name, ...lie } = readObject(body, 'body');
    controls.serve(name as string, lie);
    return controls.state.snapshot().lies;
  },
  'POST /reset': (controls, body) => {
    const request = readObject(body ?? {}, 'body');
    rejectUnknownFields(request, ['seed']);
    controls.reset(request.seed === undefined ? undefined : parseSeed(request.seed));
    return controls.state.snapshot();
  },
};

function callsAfter<T extends { sequence: number }>(calls: readonly T[], query: URLSearchParams): T[] {
  const after = query.get('after') ?? '0';
  if (!/^\d{1,15}$/.test(after)) throw new ControlError('after', 'must be a whole number');
  return calls.filter(({ sequence }) => sequence > Number(after));
}

export async function serveControl(
  controls: SimulatorControls,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, body } = await pull(controls, request);
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function pull(
  controls: SimulatorControls,
  request: IncomingMessage,
): Promise<{ status: number; body: unknown }> {
  const url = new URL(request.url ?? '/', 'http://simulator.invalid');
  const path = url.pathname.slice(CONTROL_PREFIX.length).replace(/\/$/, '') || '/';
  const lever = Object.hasOwn(LEVERS, `${request.method} ${path}`)
    ? LEVERS[`${request.method} ${path}`]
    : null;
  if (lever == null)
    return { status: 404, body: { message: 'There is no such lever.', see: CONTROL_PREFIX } };
  try {
    return { status: 200, body: lever(controls, await readJson(request), url.searchParams) };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return { status: 400, body: { message: error.message, field: error.field } };
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = await readText(request);
  if (text === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed) || Array.isArray(parsed)) return parsed;
  } catch {
    // Falls through: no JSON is as wrong as JSON of the wrong kind.
  }
  throw new ControlError('body', 'must be a JSON object or list');
}
