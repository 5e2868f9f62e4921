// Clients that ask a server without a pause, and write down each question that it did not answer well.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface LoadOptions {
  readonly url: string;
  /** The next question; called once for each. */
  readonly next: () => Question;
  readonly isGood: (status: number, question: Question, answer: string) => boolean;
}

export interface Load {
  /** How many were answered well, so far, by each kind of client. */
  readonly answered: Readonly<Record<ClientKind, number>>;
  /** What went wrong, in words. */
  readonly errors: readonly string[];
  /** Resolves when all clients have ended. */
  stop(): Promise<void>;
}

const kinds = {
  /** A connection for each request. */
  fresh: { clients: 3, pauseMs: 0, keepAlive: false },
  /** One connection that is kept. */
  kept: { clients: 3, pauseMs: 0, keepAlive: true },
  /** One that is kept, and idle most of the time. */
  idle: { clients: 3, pauseMs: 300, keepAlive: true },
} as const;
export type ClientKind = keyof typeof kinds;

function ask(url: string, agent: Agent, { method, path, headers, body }: Question) {
  return new Promise<{ status: number; answer: string }>((resolve, reject) => {
    const sent = request(new URL(path, url), { method, headers, agent }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk;
      });
      response.on('error', reject).on('end', () => resolve({ status: response.statusCode ?? 0, answer }));
    });
    sent.on('error', reject).end(body);
  });
}

export function startLoad({ url, next, isGood }: LoadOptions): Load {
  const answered = { fresh: 0, kept: 0, idle: 0 };
  const errors: string[] = [];
  let isOver = false;
  async function client(kind: ClientKind): Promise<void> {
    const { keepAlive, pauseMs } = kinds[kind];
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    let answeredAt = performance.now();
    while (!isOver) {
      const question = next();
      const silentMs = Math.round(performance.now() - answeredAt);
      const what = `${kind}, silent for ${silentMs} ms: ${question.method} ${question.path}`;
      try {
        const { status, answer } = await ask(url, agent, question);
        if (isGood(status, question, answer)) answered[kind] += 1;
        else errors.push(`${what} -> ${status} ${answer.slice(0, 200)}`);
        answeredAt = performance.now();
      } catch (error) {
        errors.push(`${what} -> ${error}`);
      }
      await sleep(pauseMs);
    }
    agent.destroy();
  }
  const clients = (Object.keys(kinds) as ClientKind[]).flatMap((kind) =>
    Array.from({ length: kinds[kind].clients }, () => client(kind)),
  );
  return {
    answered,
    errors,
    async stop() {
      isOver = true;
      await Promise.all(clients);
    },
  };
}
