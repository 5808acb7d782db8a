/** Reads and asserts the state of nodes, Events and agents, in addition to the status of an operation. */
import { expect } from '@jest/globals';
import type { Json } from '../kubectl.js';
import type { Machine } from '../machine.js';
import { isAlive } from '../process-record.js';
import { waitFor } from '../wait.js';
import { nodeStatuses, jobsOf, type Operator } from './operator.js';

/** Selector for the named nodes. */
export const onNode = (...names: string[]): object => ({
  nodeSelector: { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: names }] },
});

/** Waits until the status of a node satisfies the condition, and returns the whole object. */
export const waitForNodeStatus = (
  { kubectl }: Operator,
  [kind, name, node]: readonly [kind: string, name: string, node: string],
  isWanted: (status: ReturnType<typeof nodeStatuses>[string]) => boolean,
  seconds = 60,
): Promise<Json> =>
  kubectl.waitForObject(
    [kind, name],
    object => {
      const status = nodeStatuses(object)[node];
      return status !== undefined && isWanted(status);
    },
    seconds,
  );

/** Messages of the Events for an object with that reason. */
export async function eventMessages({ kubectl }: Operator, name: string, reason: string): Promise<string[]> {
  const events = (await kubectl.getJson('events', '-n', 'default'))?.items ?? [];
  return events
    .filter(event => (event['involvedObject'] as { name?: string } | undefined)?.name === name)
    .filter(event => event['reason'] === reason)
    .map(event => String(event['message']));
}

/** Waits until these nodes have no claim, no cordon, no cordon mark and no finalizer of a claim. */
export async function expectClean({ kubectl }: Operator, ...names: string[]): Promise<void> {
  const readObjects = async () => {
    const [agents, nodes] = [await kubectl.getJson('nodeagents', ...names), await kubectl.getJson('nodes', ...names)];
    return [...itemsOf(agents), ...itemsOf(nodes)];
  };
  const isUnclean = ({ spec, metadata }: Json) =>
    spec?.['operation'] !== undefined ||
    spec?.['unschedulable'] === true ||
    metadata?.annotations?.['operator.kairos.io/cordoned-by'] !== undefined ||
    (metadata?.['finalizers'] as string[] | undefined)?.includes('operator.kairos.io/claimed') === true;
  await waitFor(async () => !(await readObjects()).some(isUnclean), {
    what: `${names.join(', ')} to be released and uncordoned`,
    seconds: 30,
    diagnose: async () =>
      JSON.stringify((await readObjects()).filter(isUnclean).map(({ spec, metadata }) => [metadata, spec])),
  });
}

const itemsOf = (result: Json | undefined): Json[] => result?.items ?? (result === undefined ? [] : [result]);

/** Waits until the NodeOp and its Jobs are deleted, and expects that no Pod is left that is not terminating. */
export async function expectDeleted(operator: Operator, name: string, seconds = 60): Promise<void> {
  await waitFor(async () => (await operator.kubectl.getJson('nodeop', name)) === undefined, {
    what: `NodeOp ${name} to be deleted`,
    seconds,
    everyMs: 250,
    diagnose: async () => JSON.stringify((await operator.kubectl.getJson('nodeop', name))?.status),
  });
  await waitFor(async () => (await jobsOf(operator, name)).length === 0, {
    what: 'its Jobs to be deleted',
    seconds: 30,
  });
  const pods = (await operator.kubectl.getJson('pods', '-l', `kairos.io/nodeop=${name}`))?.items ?? [];
  expect(pods.filter(pod => pod.metadata?.['deletionTimestamp'] === undefined)).toEqual([]);
}

/** Suspends the agent of a node with SIGSTOP. The returned function resumes it if it is still running. */
export function freezeAgent(machine: Machine): () => void {
  const agents = machine.processes('/app/agent.cjs');
  expect(agents).toHaveLength(1);
  for (const { pid } of agents) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const agent of agents) if (isAlive(agent)) process.kill(agent.pid, 'SIGCONT');
  };
}

/** Returns a function that counts the machine's boots and reboot requests since this call. */
export function countPowerEvents(machine: Machine): () => { boots: number; requests: number } {
  const [boots, requests] = [machine.bootCount(), machine.powerLog().length];
  return () => ({ boots: machine.bootCount() - boots, requests: machine.powerLog().length - requests });
}

/** The machines on which the controller does not run, so that it observes what happens to them. */
export async function machinesWithoutController(operator: Operator): Promise<Machine[]> {
  const controller = await controllerNode(operator);
  return operator.machines.filter(({ name }) => name !== controller);
}

/** Name of the node on which the controller runs. */
export async function controllerNode({ kubectl }: Operator): Promise<string> {
  const label = ['-n', 'operator-system', '-l', 'app.kubernetes.io/component=controller'];
  const pods = (await kubectl.getJson('pods', ...label))?.items ?? [];
  const alive = pods.find(pod => pod.metadata?.['deletionTimestamp'] === undefined);
  return String(alive?.spec?.['nodeName']);
}
