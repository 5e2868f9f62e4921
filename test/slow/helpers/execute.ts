// One program to its end: what it printed, or an error with all that it said.
import { spawn } from 'node:child_process';

export interface ExecuteOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: string;
}

export function execute(
  command: string,
  args: readonly string[],
  { env, cwd, input = '' }: ExecuteOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${out}\n${err}`));
    });
  });
}

/** True where it ends well. */
export const succeeds = (command: string, args: readonly string[], options: ExecuteOptions) =>
  execute(command, args, options).then(
    () => true,
    () => false,
  );
