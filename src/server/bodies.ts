// Bodies of requests: bytes to text, as for all text that the program reads, then text to JSON or
// to lines.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { decodeText, whyUnreadable } from '../untrusted/text-file.ts';
import { jsonOnly, unreadableBody } from './messages.ts';
import { Refusal } from './problems.ts';
import { BadLine, MAX_LINES } from './routes/batch.ts';

export function addParsers(api: FastifyInstance): void {
  const parseJson = api.getDefaultJsonParser('error', 'error');
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    // An error that is thrown here is not caught.
    const text = toText(bytes);
    if (text instanceof Refusal) return done(text);
    request.rawBody = text;
    // Some clients name the type of a body that they do not send.
    if (text === '') return done(null, undefined);
    parseJson(request, text, done);
  });
  api.addContentTypeParser(
    'application/x-ndjson',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: string | Buffer) => {
      const text = toText(bytes);
      if (text instanceof Refusal) throw text;
      request.rawBody = text;
      if (request.routeOptions.config.route?.takesLines) return parseLines(text);
      throw new Refusal('unsupported-media-type', jsonOnly);
    },
  );
}

function toText(body: string | Buffer): string | Refusal {
  try {
    return decodeText(Buffer.from(body));
  } catch (error) {
    return new Refusal('bad-request', unreadableBody(whyUnreadable(error)));
  }
}

/** Empty lines do not count. Lines beyond the maximum of a batch are not parsed. */
const parseLines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => (i > MAX_LINES ? undefined : parseLine(line)));

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return new BadLine();
  }
}
