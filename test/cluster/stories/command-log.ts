/**
 * Records in the order in which commands ran on a node: a log file on its disk, to which commands of operations and pods append,
 * and a file for which commands wait, so that a test decides when they finish.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Machine } from '../machine.js';
import type { Operator } from './operator.js';

const LOG_FILE = '/var/lib/story/log';
const CONTINUE_FILE = '/var/lib/story/continue';

/** Shell text for the command of an operation: appends a line to the log of its node. */
export const appendToLog = (line: string): string =>
  `mkdir -p $HOST_DIR/var/lib/story; echo ${line} >>$HOST_DIR${LOG_FILE}`;

/** Shell text for a pod of `pods.ts`: appends a line to the log of its node. */
export const appendToLogFromPod = (line: string): string => `echo ${line} >>/story/log`;

/** Lines of the node's log, oldest first. Readable even while the machine is off. */
export function commandLog(machine: Machine): string[] {
  const file = machine.hostPath(LOG_FILE);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

/** Shell text for the command of an operation: waits until the test calls `letContinue` for its node. */
export const WAIT_TO_CONTINUE = `while [ ! -e $HOST_DIR${CONTINUE_FILE} ]; do sleep 0.2; done`;

/** Lets current and later commands on these machines continue. */
export function letContinue(...machines: readonly Machine[]): void {
  for (const machine of machines) {
    const file = machine.hostPath(CONTINUE_FILE);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  }
}

/** Empties the logs of all machines and makes commands wait again. */
export function resetCommandLogs({ machines }: Pick<Operator, 'machines'>): void {
  for (const machine of machines)
    for (const file of [LOG_FILE, CONTINUE_FILE]) rmSync(machine.hostPath(file), { force: true });
}
