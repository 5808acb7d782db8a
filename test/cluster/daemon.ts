/** Background programs that outlive the process that started them. Their records let the next run stop them. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { isAlive, type ProcessRecord, recordOf, writeAtomically } from './process-record.js';
import { PermanentFailure } from './wait.js';
import { searchPath } from './run-command.js';

export interface Daemon {
  name: string;
  record: ProcessRecord;
  logFile: string;
}

export interface DaemonPlan {
  name: string;
  command: string;
  args: readonly string[];
  logFile: string;
  /** Folder of the process records. */
  records: string;
}

export async function startDaemon(plan: DaemonPlan): Promise<Daemon> {
  mkdirSync(dirname(plan.logFile), { recursive: true });
  const log = openSync(plan.logFile, 'a');
  const env = { ...process.env, PATH: searchPath(process.env) };
  const child = spawn(plan.command, plan.args, { detached: true, stdio: ['ignore', log, log], env });
  await Promise.race([
    once(child, 'spawn'),
    once(child, 'error').then(([error]) => {
      throw new Error(`${plan.name} could not be started: ${String(error)}`);
    }),
  ]);
  child.unref();
  closeSync(log);
  const record = child.pid === undefined ? undefined : recordOf(child.pid);
  if (record === undefined) throw new Error(`${plan.name} ended immediately:\n${logTail(plan.logFile)}`);
  writeAtomically(join(plan.records, `${plan.name}.pid`), record);
  return { name: plan.name, record, logFile: plan.logFile };
}

/** For use inside `waitFor`: fails at once if the program has ended, instead of waiting until the timeout. */
export function assertAlive(daemon: Daemon): void {
  if (isAlive(daemon.record)) return;
  throw new PermanentFailure(`${daemon.name} ended. The last lines of its log:\n${logTail(daemon.logFile)}`);
}

/** The last lines of a log, for an error message. */
export function logTail(file: string, lines = 40): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return `(no log ${file})`;
  }
}

/** A free port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system assigned no port.');
  return address.port;
}
