/** What stories look at beside the status: the nodes themselves, Events, and a diary on the disk of each node. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from '@jest/globals';
import type { Json } from '../kubectl.js';
import type { Machine } from '../machine.js';
import { isAlive } from '../process-record.js';
import { waitFor } from '../wait.js';
import { entries, jobsOf, type Operator } from './operator.js';

const DIARY = '/var/lib/story/diary';
const GO = '/var/lib/story/go';

/** Shell text for a command of an operation: one more line in the diary of its node. */
export const write = (line: string): string => `mkdir -p $HOST_DIR/var/lib/story; echo ${line} >>$HOST_DIR${DIARY}`;

/** The same for a pod of `pods.ts`. */
export const podWrites = (line: string): string => `echo ${line} >>/story/diary`;

/** Lines of the node's diary, oldest first; readable while the machine is off, too. */
export function diary(machine: Machine): string[] {
  const file = machine.hostPath(DIARY);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

/** Shell text for a command of an operation: waits until the story calls `go` for its node. */
export const UNTIL_GO = `while [ ! -e $HOST_DIR${GO} ]; do sleep 0.2; done`;

/** Lets the commands on these machines go on, and later ones not wait. */
export function go(...machines: readonly Machine[]): void {
  for (const machine of machines) {
    const file = machine.hostPath(GO);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
  }
}

/** Empty diaries, and commands that wait again, for the begin of a story. */
export function forget({ machines }: Pick<Operator, 'machines'>): void {
  for (const machine of machines) for (const file of [DIARY, GO]) rmSync(machine.hostPath(file), { force: true });
}

export const onNode = (...names: string[]): object => ({
  nodeSelector: { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] },
});

/** Waits until the entry of a node is as wanted, and returns the whole object. */
export const whenEntry = (
  { kubectl }: Operator,
  [kind, name, node]: readonly [kind: string, name: string, node: string],
  test: (entry: ReturnType<typeof entries>[string]) => boolean,
  seconds = 60,
): Promise<Json> =>
  kubectl.waitForObject(
    [kind, name],
    object => {
      const entry = entries(object)[node];
      return entry !== undefined && test(entry);
    },
    seconds,
  );

/** Messages of the Events about an object with that reason. */
export async function eventsOf({ kubectl }: Operator, name: string, reason: string): Promise<string[]> {
  const events = (await kubectl.getJson('events', '-n', 'default'))?.items ?? [];
  return events
    .filter(event => (event['involvedObject'] as { name?: string } | undefined)?.name === name)
    .filter(event => event['reason'] === reason)
    .map(event => String(event['message']));
}

/** Waits until no claim, no cordon and no mark is left on these nodes. */
export async function expectUntouched({ kubectl }: Operator, ...names: string[]): Promise<void> {
  const seen = async () => {
    const [agents, nodes] = [await kubectl.getJson('nodeagents', ...names), await kubectl.getJson('nodes', ...names)];
    return [...listed(agents), ...listed(nodes)];
  };
  const isLeft = ({ spec, metadata }: Json) =>
    spec?.['operation'] !== undefined ||
    spec?.['unschedulable'] === true ||
    metadata?.annotations?.['operator.kairos.io/cordoned-by'] !== undefined ||
    (metadata?.['finalizers'] as string[] | undefined)?.includes('operator.kairos.io/claimed') === true;
  await waitFor(async () => !(await seen()).some(isLeft), {
    what: `nothing to be left on ${names.join(', ')}`,
    seconds: 30,
    diagnose: async () => JSON.stringify((await seen()).filter(isLeft).map(({ spec, metadata }) => [metadata, spec])),
  });
}

const listed = (answer: Json | undefined): Json[] => answer?.items ?? (answer === undefined ? [] : [answer]);

/** The operation is gone, with everything that was made for it. */
export async function expectGone(it: Operator, name: string, seconds = 60): Promise<void> {
  await waitFor(async () => (await it.kubectl.getJson('nodeop', name)) === undefined, {
    what: `NodeOp ${name} to be gone`,
    seconds,
    everyMs: 250,
    diagnose: async () => JSON.stringify((await it.kubectl.getJson('nodeop', name))?.status),
  });
  await waitFor(async () => (await jobsOf(it, name)).length === 0, { what: 'its Jobs to be gone', seconds: 30 });
  const pods = (await it.kubectl.getJson('pods', '-l', `kairos.io/nodeop=${name}`))?.items ?? [];
  expect(pods.filter(pod => pod.metadata?.['deletionTimestamp'] === undefined)).toEqual([]);
}

/** Stops the agents of a node in the middle of whatever they do; calling the answer lets those that still live go on. */
export function freezeAgent(machine: Machine): () => void {
  const agents = machine.processes('/app/agent.cjs');
  expect(agents).toHaveLength(1);
  for (const { pid } of agents) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const agent of agents) if (isAlive(agent)) process.kill(agent.pid, 'SIGCONT');
  };
}

/** How often the machine has booted, and how often it was told to, since this was called. */
export function powerCount(machine: Machine): () => { boots: number; told: number } {
  const [boots, told] = [machine.bootCount(), machine.powerLog().length];
  return () => ({ boots: machine.bootCount() - boots, told: machine.powerLog().length - told });
}

/** Name of the node that the controller runs on. */
export async function controllerNode({ kubectl }: Operator): Promise<string> {
  const label = ['-n', 'operator-system', '-l', 'app.kubernetes.io/component=controller'];
  const pods = (await kubectl.getJson('pods', ...label))?.items ?? [];
  const alive = pods.find(pod => pod.metadata?.['deletionTimestamp'] === undefined);
  return String(alive?.spec?.['nodeName']);
}
