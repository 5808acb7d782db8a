import { statSync } from 'node:fs';
import { setImmediate as breath, setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { killRecorded } from '../process-record.js';
import {
  ended,
  entries,
  expectFree,
  jobsOf,
  NEXT_VERSION,
  nodes,
  type Operator,
  operator,
  upgradeOf,
} from './operator.js';

jest.setTimeout(600_000);

let it: Operator;
beforeAll(async () => {
  it = await operator(3);
});

/** SIGKILL to the program's process, wherever its Pod is; answers how many there were. */
async function killEverywhere(program: string): Promise<number> {
  const results = await Promise.all(it.machines.map(machine => machine.exec('pkill', '-9', '-f', program)));
  return results.filter(result => result.code === 0).length;
}

/** A call that was under way when its caller died has reached the log by then; the agent's next process has not started. */
const LATE_CALL_MS = 300;

/** Waits for the next write of the journal and kills the agent at once: its next line is the reboot. False: that was called already. */
async function killAgentAtJournal(machine: Machine): Promise<boolean> {
  const journal = machine.hostPath('/usr/local/.kairos/journal.json');
  const written = () => statSync(journal, { throwIfNoEntry: false })?.mtimeMs;
  const before = written();
  const calls = machine.powerLog().length;
  const agents = machine.processes('/app/agent.cjs');
  expect(agents).toHaveLength(1);
  const limit = Date.now() + 60_000;
  while (written() === before) {
    if (Date.now() > limit) throw new Error('no journal entry was written within 60 s');
    await breath();
  }
  for (const process of agents) killRecorded(process);
  await pause(LATE_CALL_MS);
  return machine.powerLog().length === calls;
}

/** Node after node in their turn, until one agent was killed between its journal entry and its call. */
async function killBeforeReboot(machines: readonly Machine[]): Promise<boolean> {
  for (const machine of machines) {
    await it.kubectl.waitForObject(
      ['nodeopupgrade', 'killed'],
      object => ['Cordon', 'Drain', 'Run'].includes(entries(object)[machine.name]?.step ?? ''),
      120,
    );
    if (await killAgentAtJournal(machine)) return true;
  }
  return false;
}

test('the controller killed in the middle of a node, and the agent right after its journal entry: the same end', async () => {
  const before = it.machines.map(machine => machine.bootCount());
  await it.kubectl.apply(upgradeOf('killed', it.next.ref));
  await it.kubectl.waitForObject(['nodeopupgrade', 'killed'], object => entries(object).n1?.step === 'Run', 120);
  expect(await killEverywhere('controller.cjs')).toBeGreaterThanOrEqual(1);

  expect(await killBeforeReboot(it.machines.slice(1))).toBe(true);

  const upgrade = await ended(it, 'nodeopupgrade', 'killed', 240);
  expect(upgrade.status?.phase).toBe('Completed');
  expect(it.machines.map((machine, at) => machine.bootCount() - (before[at] ?? 0))).toEqual([1, 1, 1]);
  expect(await jobsOf(it, 'killed')).toHaveLength(3);
  for (const node of await nodes(it)) {
    expect(node.metadata?.annotations?.['kairos.io/version']).toBe(NEXT_VERSION);
    expect(node.spec?.unschedulable).toBeUndefined();
  }
  await expectFree(it);
});
