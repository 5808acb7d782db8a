/** Runs one program to its end. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { delimiter } from 'node:path';

export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  stdin?: string;
  /** Standard input comes from this file; for large ones. */
  stdinFile?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** SIGKILL after this long. */
  seconds?: number;
}

const SYSTEM_FOLDERS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'.split(':');

/** Where commands are looked for: after the caller's own folders the system's, for not every shell has the sbin ones. */
export function searchPath({ PATH = '' }: NodeJS.ProcessEnv): string {
  const own = PATH.split(delimiter).filter(folder => folder !== '');
  return [...own, ...SYSTEM_FOLDERS.filter(folder => !own.includes(folder))].join(delimiter);
}

/** The command's code and output, whatever the code is; 127 when it could not be started. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const file = options.stdinFile === undefined ? undefined : openSync(options.stdinFile, 'r');
  const env = options.env ?? process.env;
  try {
    return await new Promise(resolve => {
      const child = spawn(command, args, {
        cwd: options.cwd,
        env: { ...env, PATH: searchPath(env) },
        stdio: [file ?? (options.stdin === undefined ? 'ignore' : 'pipe'), 'pipe', 'pipe'],
      });
      const timer =
        options.seconds === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.seconds * 1000);
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      const end = (code: number, more = '') => {
        clearTimeout(timer);
        resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() + more });
      };
      child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
      child.stdin?.on('error', () => undefined); // a command may end without reading all of it
      child.stdin?.end(options.stdin);
      child.on('error', error => end(127, error.message));
      child.on('close', (code, signal) => end(code ?? 128, signal === null ? '' : `\nended by ${signal}`));
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The command's standard output; throws with its last words when it fails. */
export async function mustRun(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    const words = (result.stderr || result.stdout).trim().split('\n').slice(-20).join('\n');
    throw new Error(`"${[command, ...args].join(' ').slice(0, 300)}" failed with code ${result.code}:\n${words}`);
  }
  return result.stdout;
}
