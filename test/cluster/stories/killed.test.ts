import { statSync } from 'node:fs';
import { setImmediate as yieldToEventLoop, setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { killRecorded } from '../process-record.js';
import {
  waitUntilFinished,
  nodeStatuses,
  expectNodesReleased,
  jobsOf,
  NEXT_VERSION,
  listNodes,
  type Operator,
  setUpOperator,
  upgradeOf,
} from './operator.js';

jest.setTimeout(600_000);

let operator: Operator;
beforeAll(async () => {
  operator = await setUpOperator(3);
});

/** Sends SIGKILL to the program on all nodes and returns the number of nodes on which it ran. */
async function killEverywhere(program: string): Promise<number> {
  const results = await Promise.all(operator.machines.map(machine => machine.exec('pkill', '-9', '-f', program)));
  return results.filter(result => result.code === 0).length;
}

/** Long enough for a reboot request in progress to reach the log, too short for a restart of the agent. */
const LATE_REQUEST_MS = 300;

/** Waits for the next write of the journal, which precedes the reboot request, and kills the agent at once. False if the request was already made. */
async function killAgentAfterJournalWrite(machine: Machine): Promise<boolean> {
  const journal = machine.hostPath('/usr/local/.kairos/journal.json');
  const lastWrite = () => statSync(journal, { throwIfNoEntry: false })?.mtimeMs;
  const before = lastWrite();
  const requests = machine.powerLog().length;
  const agents = machine.processes('/app/agent.cjs');
  expect(agents).toHaveLength(1);
  const deadline = Date.now() + 60_000;
  while (lastWrite() === before) {
    if (Date.now() > deadline) throw new Error('The agent wrote no journal entry within 60 s.');
    await yieldToEventLoop();
  }
  for (const process of agents) killRecorded(process);
  await pause(LATE_REQUEST_MS);
  return machine.powerLog().length === requests;
}

/** Tries node after node until an agent was killed between its journal entry and the reboot request. */
async function killAgentBeforeReboot(machines: readonly Machine[]): Promise<boolean> {
  for (const machine of machines) {
    await operator.kubectl.waitForObject(
      ['nodeopupgrade', 'killed'],
      object => ['Cordon', 'Drain', 'Run'].includes(nodeStatuses(object)[machine.name]?.step ?? ''),
      120,
    );
    if (await killAgentAfterJournalWrite(machine)) return true;
  }
  return false;
}

test('an upgrade completes with one Job and one reboot per node if the controller is killed during a Job and an agent after its journal entry', async () => {
  const before = operator.machines.map(machine => machine.bootCount());
  await operator.kubectl.apply(upgradeOf('killed', operator.nextImage.ref));
  await operator.kubectl.waitForObject(
    ['nodeopupgrade', 'killed'],
    object => nodeStatuses(object).n1?.step === 'Run',
    120,
  );
  expect(await killEverywhere('controller.cjs')).toBeGreaterThanOrEqual(1);

  expect(await killAgentBeforeReboot(operator.machines.slice(1))).toBe(true);

  const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'killed', 240);
  expect(upgrade.status?.phase).toBe('Completed');
  expect(operator.machines.map((machine, at) => machine.bootCount() - (before[at] ?? 0))).toEqual([1, 1, 1]);
  expect(await jobsOf(operator, 'killed')).toHaveLength(3);
  for (const node of await listNodes(operator)) {
    expect(node.metadata?.annotations?.['kairos.io/version']).toBe(NEXT_VERSION);
    expect(node.spec?.unschedulable).toBeUndefined();
  }
  await expectNodesReleased(operator);
});
