// One program to its end: what came of it, or an error with all that it said. This process goes on meanwhile.
import { spawn } from 'node:child_process';

export interface ExecuteOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Rejects only where it cannot be started. */
export function run(
  command: string,
  args: readonly string[],
  { env, cwd, input = '' }: ExecuteOptions,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

/** What it printed. Rejects with all that it said where it does not end well. */
export async function execute(
  command: string,
  args: readonly string[],
  options: ExecuteOptions,
): Promise<string> {
  const { code, out, err } = await run(command, args, options);
  if (code === 0) return out;
  throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${out}\n${err}`);
}

/** True where it ends well. */
export const succeeds = (command: string, args: readonly string[], options: ExecuteOptions) =>
  execute(command, args, options).then(
    () => true,
    () => false,
  );
