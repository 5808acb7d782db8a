/** Runs a program and waits for its end. */
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
  /** File to use as standard input, for large inputs. */
  stdinFile?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The program is killed after this time. */
  seconds?: number;
}

const SYSTEM_FOLDERS = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'.split(':');

/** PATH with the system folders appended, because not every shell includes the sbin folders. */
export function searchPath({ PATH = '' }: NodeJS.ProcessEnv): string {
  const ownFolders = PATH.split(delimiter).filter(folder => folder !== '');
  return [...ownFolders, ...SYSTEM_FOLDERS.filter(folder => !ownFolders.includes(folder))].join(delimiter);
}

/** Exit code and output of a command. The code is 127 if the command could not be started. */
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
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      const finish = (code: number, suffix = '') => {
        clearTimeout(timer);
        resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() + suffix });
      };
      child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
      child.stdin?.on('error', () => undefined); // A command may exit without reading all of its input.
      child.stdin?.end(options.stdin);
      child.on('error', error => finish(127, error.message));
      child.on('close', (code, signal) => finish(code ?? 128, signal === null ? '' : `\nkilled by ${signal}`));
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Standard output of a command. Throws an error with its last lines if it fails. */
export async function mustRun(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    const lastLines = (result.stderr || result.stdout).trim().split('\n').slice(-20).join('\n');
    throw new Error(`"${[command, ...args].join(' ').slice(0, 300)}" failed with code ${result.code}:\n${lastLines}`);
  }
  return result.stdout;
}
